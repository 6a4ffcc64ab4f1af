// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"encoding/json"
	"fmt"
)

// containsKey follows keys into a FieldsV1.
func containsKey(raw []byte, keys ...string) bool {
	for _, key := range keys {
		level := map[string]json.RawMessage{}
		if err := json.Unmarshal(raw, &level); err != nil {
			panic(fmt.Sprintf("%s: %v", raw, err))
		}
		next, found := level[key]
		if !found {
			return false
		}
		raw = next
	}
	return true
}
