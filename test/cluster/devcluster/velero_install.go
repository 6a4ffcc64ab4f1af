// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// installVelero creates what "velero install" would, with the Deployment scaled to zero: the server is a
// process of this machine, but restores look the Deployment up to learn the name of their helper's image.
func (c *Cluster) installVelero(ctx context.Context, objects client.Client) error {
	credentials := fmt.Appendf(nil, "[default]\naws_access_key_id=%s\naws_secret_access_key=%s\n", c.accessKey, c.secretKey)
	if err := writePrivate(c.path("velero", "credentials"), credentials); err != nil {
		return err
	}
	stock, err := c.veleroObjects(ctx)
	if err != nil {
		return err
	}
	var definitions, others []unstructured.Unstructured
	for _, object := range stock {
		switch object.GetKind() {
		case "CustomResourceDefinition":
			definitions = append(definitions, object)
			continue
		case "Deployment":
			if err := unstructured.SetNestedField(object.Object, int64(0), "spec", "replicas"); err != nil {
				return err
			}
		}
		others = append(others, object)
	}
	if err := createAll(ctx, objects, definitions); err != nil {
		return err
	}
	if err := awaitEstablished(ctx, objects, definitions); err != nil {
		return err
	}
	return createAll(ctx, objects, others)
}

// veleroObjects asks the Velero program itself what an installation of it consists of.
func (c *Cluster) veleroObjects(ctx context.Context) ([]unstructured.Unstructured, error) {
	location := []string{"region=us-east-1", "s3ForcePathStyle=true", "s3Url=" + c.storageURL}
	cmd := exec.CommandContext(ctx, c.bins[Velero], "install", "--dry-run", "--output=yaml",
		"--kubeconfig="+c.Kubeconfig(), "--namespace="+VeleroNamespace,
		"--provider=aws", "--plugins=velero/velero-plugin-for-aws", "--secret-file="+c.path("velero", "credentials"),
		"--bucket="+bucket, "--backup-location-config="+strings.Join(location, ","), "--use-volume-snapshots=false")
	cmd.Env = c.environment(nil)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("velero install --dry-run: %w: %s", err, stderr.String())
	}
	// An untyped list tells whole numbers from others, which plain JSON does not.
	decoded, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("velero install --dry-run: %w", err)
	}
	var list unstructured.UnstructuredList
	if err := list.UnmarshalJSON(decoded); err != nil {
		return nil, fmt.Errorf("velero install --dry-run: %w", err)
	}
	return list.Items, nil
}

// createAll creates objects. Those that exist are left as they are.
func createAll(ctx context.Context, objects client.Client, all []unstructured.Unstructured) error {
	for i := range all {
		if err := objects.Create(ctx, &all[i]); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// awaitEstablished waits until the API server serves custom resources.
func awaitEstablished(ctx context.Context, objects client.Client, definitions []unstructured.Unstructured) error {
	return wait.PollUntilContextCancel(ctx, readyPoll, true, func(ctx context.Context) (bool, error) {
		for i := range definitions {
			if err := objects.Get(ctx, client.ObjectKeyFromObject(&definitions[i]), &definitions[i]); err != nil {
				return false, err
			}
			if !hasCondition(definitions[i], "Established") {
				return false, nil
			}
		}
		return true, nil
	})
}

func hasCondition(object unstructured.Unstructured, kind string) bool {
	// An object without conditions has none that is true.
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, condition := range conditions {
		if fields, ok := condition.(map[string]any); ok && fields["type"] == kind {
			return fields["status"] == "True"
		}
	}
	return false
}
