// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import "testing"

func TestChangedTemplateIsHeldInTheSameWrite(t *testing.T) {
	s := newShop(t)
	dev := s.as(s.developer)
	s.is(s.mustPatch(dev, image("2")), s.held("2"))
	s.is(s.get("web"), s.held("2"))
	s.is(s.mustPatch(dev, `{"spec":{"paused":false}}`), s.held("2"))
	s.release()
	s.is(s.get("web"), free("2"))
}
