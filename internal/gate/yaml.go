// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// WriteYAML writes objects as one YAML stream, for kubectl apply.
func WriteYAML(w io.Writer, objects ...Object) error {
	for i, object := range objects {
		raw, err := toYAML(object)
		if err != nil {
			return fmt.Errorf("%s: %w", identify(object), err)
		}
		if i > 0 {
			raw = append([]byte("---\n"), raw...)
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// toYAML leaves out what only the API server writes.
func toYAML(object Object) ([]byte, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	delete(content, "status")
	return yaml.Marshal(content)
}
