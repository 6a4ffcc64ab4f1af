// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package devcluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"
)

// bucket is the one that Velero's default location uses.
const bucket = "backups"

// objectStorage is S3 on a folder: a bucket is a folder, an object is a file in it.
func (c *Cluster) objectStorage(context.Context) (Program, error) {
	var port int
	if err := c.takePorts(&port); err != nil {
		return Program{}, err
	}
	for _, folder := range []string{c.path("storage", "buckets", bucket), c.path("storage", "metadata")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return Program{}, err
		}
	}
	c.storageURL = loopback("http", port)
	c.accessKey, c.secretKey = rand.Text(), rand.Text()
	return Program{
		Port:  port,
		Grace: 3 * time.Second,
		Env:   []string{"ROOT_ACCESS_KEY=" + c.accessKey, "ROOT_SECRET_KEY=" + c.secretKey},
		Args: []string{
			fmt.Sprintf("--port=127.0.0.1:%d", port), "--health=/health", "posix",
			// Metadata in files of its own, because not every file system has extended attributes.
			"--sidecar=" + c.path("storage", "metadata"), c.path("storage", "buckets"),
		},
		Ready: c.answers(c.storageURL + "/health"),
	}, nil
}

// BucketFolder is where the objects of Velero's default location are, as files.
func (c *Cluster) BucketFolder() string { return c.path("storage", "buckets", bucket) }
