// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// fingerprintVersion is part of every fingerprint: one that another version of Backstay took in another way proves
// nothing.
const fingerprintVersion = "v1-"

// Fingerprint identifies the installed policies and bindings as they are now: it changes whenever the spec of one does,
// and when one is deleted and created again. A UID and a generation say that without any content.
func Fingerprint(live []Object) string {
	lines := make([]string, 0, len(live))
	for _, o := range live {
		lines = append(lines, fmt.Sprintf("%s %s %d", identify(o), o.GetUID(), o.GetGeneration()))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return fingerprintVersion + hex.EncodeToString(sum[:10])
}
