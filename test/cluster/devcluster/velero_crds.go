// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// installVeleroCRDs creates the resource definitions that the Velero program itself carries, and waits
// until they are served.
func (c *Cluster) installVeleroCRDs(ctx context.Context, objects client.Client) error {
	definitions, err := c.veleroCRDs(ctx)
	if err != nil {
		return err
	}
	for i := range definitions {
		if err := objects.Create(ctx, &definitions[i]); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return wait.PollUntilContextCancel(ctx, readyPoll, true, func(ctx context.Context) (bool, error) {
		for _, definition := range definitions {
			var served apiextensionsv1.CustomResourceDefinition
			if err := objects.Get(ctx, client.ObjectKeyFromObject(&definition), &served); err != nil {
				return false, err
			}
			if !established(served) {
				return false, nil
			}
		}
		return true, nil
	})
}

func established(definition apiextensionsv1.CustomResourceDefinition) bool {
	for _, condition := range definition.Status.Conditions {
		if condition.Type == apiextensionsv1.Established {
			return condition.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

func (c *Cluster) veleroCRDs(ctx context.Context) ([]apiextensionsv1.CustomResourceDefinition, error) {
	cmd := exec.CommandContext(ctx, c.bins[Velero], "install", "--crds-only", "--dry-run", "--output=yaml")
	cmd.Env = c.environment(nil)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("velero install --crds-only: %w: %s", err, stderr.String())
	}
	var list apiextensionsv1.CustomResourceDefinitionList
	if err := yaml.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("velero install --crds-only: %w", err)
	}
	return list.Items, nil
}
