// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/backstay-dr/backstay/test/cluster/internal/pki"
)

// tokenLifetime is longer than any development cluster's.
const tokenLifetime = 30 * 24 * time.Hour

// prepareIdentities makes the keys and certificates of this cluster.
func (c *Cluster) prepareIdentities() (err error) {
	if c.authority, err = pki.NewAuthority("backstay-" + c.options.Name); err != nil {
		return err
	}
	c.probe = newProbe(c.authority)
	serving, err := c.authority.Server("kubernetes", "kubernetes.default", "kubernetes.default.svc")
	if err != nil {
		return err
	}
	public, private, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"ca.crt": c.authority.Certificate, "ca.key": c.authority.Key,
		"serving.crt": serving.Certificate, "serving.key": serving.Key,
		"service-account.pub": public, "service-account.key": private,
	}
	for name, content := range files {
		if err := writePrivate(c.path("pki", name), content); err != nil {
			return err
		}
	}
	return nil
}

// writePrivate writes a file that only this user may read.
func writePrivate(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// certificateKubeconfig writes a kubeconfig for a user that a certificate proves.
func (c *Cluster) certificateKubeconfig(path, user string, groups ...string) (*rest.Config, error) {
	pair, err := c.authority.Client(user, groups...)
	if err != nil {
		return nil, err
	}
	return c.writeKubeconfig(path, &clientcmdapi.AuthInfo{ClientCertificateData: pair.Certificate, ClientKeyData: pair.Key})
}

func (c *Cluster) writeKubeconfig(path string, user *clientcmdapi.AuthInfo) (*rest.Config, error) {
	config := clientcmdapi.NewConfig()
	name := c.options.Name
	config.Clusters[name] = &clientcmdapi.Cluster{Server: c.apiServerURL, CertificateAuthorityData: c.authority.Certificate}
	config.AuthInfos[name] = user
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	text, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if err := writePrivate(path, text); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
}

// ServiceAccountKubeconfig returns the file of a kubeconfig with a token of a service account that exists.
func (c *Cluster) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	clients, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return "", err
	}
	seconds := int64(tokenLifetime / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	answer, err := clients.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of service account %s/%s: %w", namespace, name, err)
	}
	path := c.path("identities", namespace+"."+name)
	_, err = c.writeKubeconfig(path, &clientcmdapi.AuthInfo{Token: answer.Status.Token})
	return path, err
}

// Kubeconfig is the file of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.path("kubeconfig") }

// RESTConfig returns the administrator's client configuration, without a limit on requests.
func (c *Cluster) RESTConfig() *rest.Config { return rest.CopyConfig(c.admin) }

// Bin returns the file of a program that was built for this cluster, for example kubectl.
func (c *Cluster) Bin(name string) string { return c.bins[name] }

// Folder is where the cluster keeps everything.
func (c *Cluster) Folder() string { return c.options.Folder }
