// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// announce opens the rollouts of the releases that are about to roll out, so that their backups are taken ahead.
func (d *decider) announce() {
	if d.mode() == v1alpha1.GateModeDisabled {
		return
	}
	for _, r := range d.primaries() {
		if !announces(r) {
			continue
		}
		r.status.AnnouncedGeneration = r.Generation
		if !d.announced(r) {
			d.openRollout(r, v1alpha1.CauseAhead)
		}
	}
}

// announces reports whether a release announces a rollout that was not handled yet: each generation with intent Deploy does.
// One that a restore brought back rolled out long ago, if it did: it announces nothing until its spec changes.
func announces(r *release) bool {
	handled := r.status.AnnouncedGeneration
	if _, restored := r.Labels[velerov1.RestoreNameLabel]; restored || len(r.status.Rollouts) > 0 {
		handled = max(handled, 1)
	}
	return r.Spec.Intent == v1alpha1.IntentDeploy && r.Generation > handled
}

// announced reports whether a rollout is open that satisfies an announcement: one whose backup was taken ahead does so for as
// long as a rollout that begins now could rely on it.
func (d *decider) announced(r *release) bool {
	if len(r.status.Rollouts) == 0 || !open(&r.status.Rollouts[0]) {
		return false
	}
	newest := course{&r.status.Rollouts[0], r}
	return !ahead(newest.Rollout) || d.serves(newest)
}

// announceHint is how to announce a rollout of a release that exists.
func (d *decider) announceHint(r *release) string {
	patch := fmt.Sprintf("kubectl -n %s patch apprelease %s --type merge -p ", d.in.Namespace, r.Name)
	hint := patch + `'{"spec":{"intent":"Deploy"}}'`
	if r.Spec.Intent == v1alpha1.IntentDeploy {
		hint = patch + `'{"spec":{"intent":"Record"}}', and then the same with "Deploy"`
	}
	return hint
}
