// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const serviceCIDR = "10.96.0.0/16"

func (c *Cluster) etcd(context.Context) (Program, error) {
	var client, peer int
	if err := c.takePorts(&client, &peer); err != nil {
		return Program{}, err
	}
	c.etcdURL = loopback("http", client)
	peerURL := loopback("http", peer)
	return Program{
		Port:  client,
		Grace: 3 * time.Second,
		Args: []string{
			"--name=" + c.options.Name, "--data-dir=" + c.path("etcd"),
			"--listen-client-urls=" + c.etcdURL, "--advertise-client-urls=" + c.etcdURL,
			"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL,
			"--initial-cluster=" + c.options.Name + "=" + peerURL,
			"--unsafe-no-fsync", // The data is not meant to survive this machine.
			"--log-level=warn",
		},
		Ready: c.answers(c.etcdURL + "/health"),
	}, nil
}

func (c *Cluster) apiServer(context.Context) (_ Program, err error) {
	var port int
	if err := c.takePorts(&port); err != nil {
		return Program{}, err
	}
	c.apiServerURL = loopback("https", port)
	if c.admin, err = c.certificateKubeconfig(c.Kubeconfig(), "backstay-admin", "system:masters"); err != nil {
		return Program{}, err
	}
	c.admin.QPS = -1
	clients, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return Program{}, err
	}
	return Program{
		Port:  port,
		Grace: 3 * time.Second, // It does not leave while watches are open.
		Args: []string{
			"--etcd-servers=" + c.etcdURL,
			"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
			"--tls-cert-file=" + c.path("pki", "serving.crt"), "--tls-private-key-file=" + c.path("pki", "serving.key"),
			"--client-ca-file=" + c.path("pki", "ca.crt"),
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + c.path("pki", "service-account.pub"),
			"--service-account-signing-key-file=" + c.path("pki", "service-account.key"),
			"--service-cluster-ip-range=" + serviceCIDR,
			"--authorization-mode=Node,RBAC",
			"--allow-privileged=true",
			// No pod reaches the API server through its service, and a loopback address is no valid endpoint.
			"--endpoint-reconciler-type=none",
		},
		Ready: func(ctx context.Context) error {
			return clients.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		},
	}, nil
}

func (c *Cluster) controllerManager(context.Context) (Program, error) {
	var port int
	if err := c.takePorts(&port); err != nil {
		return Program{}, err
	}
	if _, err := c.certificateKubeconfig(c.identity(ControllerManager), "system:kube-controller-manager"); err != nil {
		return Program{}, err
	}
	clients, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return Program{}, err
	}
	healthy := c.answers(loopback("https", port) + "/healthz")
	return Program{
		Port: port,
		Args: append(c.servingArgs(port),
			"--kubeconfig="+c.identity(ControllerManager), "--leader-elect=false", "--use-service-account-credentials",
			"--service-account-private-key-file="+c.path("pki", "service-account.key"),
			"--root-ca-file="+c.path("pki", "ca.crt"),
			"--cluster-signing-cert-file="+c.path("pki", "ca.crt"), "--cluster-signing-key-file="+c.path("pki", "ca.key"),
			// The default of 20 requests a second makes its start alone take five seconds.
			"--kube-api-qps=200", "--kube-api-burst=400",
			// It creates this folder, by default one of the machine's own.
			"--flex-volume-plugin-dir="+c.path("tmp", "flexvolume"),
		),
		// Healthy is not enough: pods cannot be created before the service account controller works.
		Ready: func(ctx context.Context) error {
			if err := healthy(ctx); err != nil {
				return err
			}
			_, err := clients.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
			return err
		},
	}, nil
}

func (c *Cluster) scheduler(context.Context) (Program, error) {
	var port int
	if err := c.takePorts(&port); err != nil {
		return Program{}, err
	}
	if _, err := c.certificateKubeconfig(c.identity(Scheduler), "system:kube-scheduler"); err != nil {
		return Program{}, err
	}
	return Program{
		Port:  port,
		Args:  append(c.servingArgs(port), "--kubeconfig="+c.identity(Scheduler), "--leader-elect=false"),
		Ready: c.answers(loopback("https", port) + "/readyz"),
	}, nil
}

func (c *Cluster) servingArgs(port int) []string {
	return []string{
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + c.path("pki", "serving.crt"), "--tls-private-key-file=" + c.path("pki", "serving.key"),
	}
}

// identity is the file of the kubeconfig of one of the cluster's own programs.
func (c *Cluster) identity(program string) string { return c.path("identities", program) }
