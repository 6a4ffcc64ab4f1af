// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// state is what the gate has made of a Deployment: the field, and every annotation of ours.
type state struct {
	Image       string
	Paused      bool
	Annotations map[string]string
}

func stateOf(d *appsv1.Deployment) state {
	s := state{Image: d.Spec.Template.Spec.Containers[0].Image, Paused: d.Spec.Paused, Annotations: map[string]string{}}
	for key, value := range d.Annotations {
		if name, ours := strings.CutPrefix(key, v1alpha1.GroupName+"/"); ours {
			s.Annotations[name] = value
		}
	}
	return s
}

// is fails the test where a Deployment is not in the state.
func (s *shop) is(d *appsv1.Deployment, want state) {
	s.t.Helper()
	if want.Annotations == nil {
		want.Annotations = map[string]string{}
	}
	if diff := cmp.Diff(want, stateOf(d)); diff != "" {
		s.t.Fatalf("%s (-want +got):\n%s", d.Name, diff)
	}
}

// held is "web", held by the plan "shop".
func (s *shop) held(tag string) state {
	return state{Image: "shop/web:" + tag, Paused: true, Annotations: map[string]string{"held-by": s.namespace + "/shop"}}
}

// heldForUser is held, and paused by a user besides.
func (s *shop) heldForUser(tag string) state {
	want := s.held(tag)
	want.Annotations["user-paused"] = "true"
	return want
}

// free is not held, and not paused.
func free(tag string) state { return state{Image: "shop/web:" + tag} }
