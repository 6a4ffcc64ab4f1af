// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"encoding/json"
	"errors"
)

// merge applies a JSON merge patch.
func merge[T any](o *operator, obj *T, patch []byte) *T {
	var base, change map[string]any
	raw, err := json.Marshal(obj)
	if err == nil {
		err = errors.Join(json.Unmarshal(raw, &base), json.Unmarshal(patch, &change))
	}
	out := new(T)
	if err == nil {
		mergeMaps(base, change)
		raw, err = json.Marshal(base)
		err = errors.Join(err, json.Unmarshal(raw, out))
	}
	if err != nil {
		o.Fatalf("patch %s: %v", patch, err)
	}
	return out
}

func mergeMaps(base, change map[string]any) {
	for k, v := range change {
		inner, isMap := v.(map[string]any)
		below, wasMap := base[k].(map[string]any)
		switch {
		case v == nil:
			delete(base, k)
		case isMap && wasMap:
			mergeMaps(below, inner)
		case isMap:
			fresh := map[string]any{}
			mergeMaps(fresh, inner)
			base[k] = fresh
		default:
			base[k] = v
		}
	}
}
