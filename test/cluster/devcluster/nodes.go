// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/backstay-dr/backstay/test/cluster/internal/toolset"
)

// kwok plays the kubelet of all nodes: pods become Ready at once, and vanish when they are deleted.
func (c *Cluster) kwok(ctx context.Context) (Program, error) {
	var port int
	if err := c.takePorts(&port); err != nil {
		return Program{}, err
	}
	// It acts as every node and for every pod, which no default role allows.
	if _, err := c.certificateKubeconfig(c.identity(Kwok), "kwok", "system:masters"); err != nil {
		return Program{}, err
	}
	stages, err := filepath.Glob(filepath.Join(c.bins[toolset.KwokStages], "*.yaml"))
	if err != nil || len(stages) == 0 {
		return Program{}, errors.Join(fmt.Errorf("no stages in %s", c.bins[toolset.KwokStages]), err)
	}
	clients, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return Program{}, err
	}
	for i := range c.options.Nodes {
		if err := createNode(ctx, clients, fmt.Sprintf("node-%d", i+1)); err != nil {
			return Program{}, err
		}
	}
	return Program{
		Port:  port,
		Grace: 3 * time.Second,
		Args: []string{
			"--kubeconfig=" + c.identity(Kwok), "--manage-all-nodes", "--node-lease-duration-seconds=40",
			fmt.Sprintf("--server-address=127.0.0.1:%d", port), "--config=" + strings.Join(stages, ","),
		},
		Ready: func(ctx context.Context) error { return nodesReady(ctx, clients) },
	}, nil
}

func createNode(ctx context.Context, clients kubernetes.Interface, name string) error {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("500"),
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
			Labels:      map[string]string{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "type": "kwok"},
		},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
	_, err := clients.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// nodesReady checks that every node is ready, and free of the taints that new nodes have.
func nodesReady(ctx context.Context, clients kubernetes.Interface) error {
	nodes, err := clients.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, node := range nodes.Items {
		if !isReady(node) || len(node.Spec.Taints) > 0 {
			return fmt.Errorf("node %s is not ready", node.Name)
		}
	}
	return nil
}

func isReady(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
