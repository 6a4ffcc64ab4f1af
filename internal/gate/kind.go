// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// kind is how one kind of workload is held. Everything that the kinds have in common is in the policies; another kind
// is another value of this type.
type kind struct {
	name                     v1alpha1.WorkloadKind
	group, version, resource string

	// template is the path of the pod template, which brings a new revision when it changes.
	template string

	// revisions is the resource, of the same group and version, whose objects are the kind's revisions.
	revisions string

	// revisionLabel is the label that the controller of the kind puts on each of them.
	revisionLabel string

	// holding is a CEL expression, with %s for the object: its controller starts no new revision.
	holding string

	// engage and release are JSON patch operations, as CEL, that set the field which holds and take it back.
	engage, release string

	// holdingField is the field of the spec that holds: the only one that the operator may change.
	holdingField string
}

// holdingOf is the expression that holding is for an object.
func (k kind) holdingOf(object string) string { return strings.ReplaceAll(k.holding, "%s", object) }

// kinds that a plan can hold.
var kinds = []kind{deployments}

var deployments = kind{
	name:          v1alpha1.KindDeployment,
	group:         v1alpha1.GroupApps,
	version:       "v1",
	resource:      "deployments",
	template:      "spec.template",
	revisions:     "replicasets",
	revisionLabel: "pod-template-hash",
	holding:       `%s.spec.?paused.orValue(false)`,
	engage:        `JSONPatch{op: 'add', path: '/spec/paused', value: true}`,
	release:       `JSONPatch{op: 'remove', path: '/spec/paused'}`,
	holdingField:  "paused",
}
