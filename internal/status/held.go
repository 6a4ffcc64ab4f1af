// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/internal/facts"
	"github.com/backstay-dr/backstay/internal/records"
	"github.com/backstay-dr/backstay/internal/rule"
	"github.com/backstay-dr/backstay/internal/running"
)

// WhyHeld is why a workload is held, in the words of its release, and since when.
func WhyHeld(f *facts.Facts, book *records.Book, m *facts.Member) (text string, since time.Time) {
	reason, release := v1alpha1.ReasonNotRecorded, ""
	since = pendingSince(f, m).Time
	ro, rec := book.HeldRecord(m)
	switch {
	case running.Restored(f, book, m):
		reason, since = v1alpha1.ReasonRestored, m.Created.Time
	case rec != nil && facts.WaitingSince(rec) != nil:
		reason, release, since = v1alpha1.ReasonBackupPending, ro.Of.Name, facts.WaitingSince(rec).Time
		if ready := meta.FindStatusCondition(ro.Of.Wanted.Conditions, v1alpha1.ConditionReady); ready != nil {
			reason = ready.Reason
		}
	}
	parts := []string{"reason=" + reason}
	if release != "" {
		parts = append(parts, "release="+release)
	}
	return strings.Join(append(parts, fmt.Sprintf("since=%s", since.UTC().Format(rule.Stamp))), " "), since
}

func heldText(f *facts.Facts, held []v1alpha1.HeldWorkload) string {
	if len(held) == 0 {
		return "nothing is held"
	}
	h := held[0]
	text := fmt.Sprintf("%s waits for the backup of release %s (%s)", h.Name, h.Release, h.Reason)
	switch {
	case h.Reason == v1alpha1.ReasonBackupFailed:
		text = fmt.Sprintf("%s is held and its backup keeps failing: see AppRelease %s", h.Name, h.Release)
	case h.Reason == v1alpha1.ReasonRestored:
		text = h.Name + " was restored while held and will not start: put the revision back that ran " +
			"(AppRelease, previousRevision), or change or override it"
	case h.Reason == v1alpha1.ReasonNotRecorded:
		text = fmt.Sprintf("%s is held since %s, and no AppRelease records it yet: if that lasts, an event on this plan says why. %s",
			h.Name, h.Since.UTC().Format(rule.Stamp), overrideHint(f, h.Kind, h.Name))
	case h.Release == "":
		text = h.Name + " is held for another plan"
	}
	if more := len(held) - 1; more > 0 {
		text = fmt.Sprintf("%s, and %d more", text, more)
	}
	return text
}

// heldForAPerson finds what is held until a person acts.
func heldForAPerson(f *facts.Facts, held []v1alpha1.HeldWorkload) *v1alpha1.HeldWorkload {
	for i := range held {
		switch h := &held[i]; h.Reason {
		case v1alpha1.ReasonBackupFailed, v1alpha1.ReasonRestored:
			return h
		case v1alpha1.ReasonNotRecorded:
			if !f.Now.Before(h.Since.Add(rule.PickUpTime)) {
				return h
			}
		}
	}
	return nil
}

// pendingSince is since when a workload is seen held that no release records.
func pendingSince(f *facts.Facts, m *facts.Member) *metav1.Time {
	if h := f.HeldBefore(m); h != nil && h.Since != nil {
		return h.Since
	}
	return &f.At
}

// recordHeld lists what is held now, and what it waits for. It returns when one that no release records will wait for a person.
func recordHeld(f *facts.Facts, book *records.Book, s *v1alpha1.DRPlanStatus) (until time.Time) {
	s.Held = nil
	for _, m := range f.Sorted {
		if !m.Held() || !m.Selected {
			continue
		}
		h := v1alpha1.HeldWorkload{Group: m.Group, Kind: m.Kind, Name: m.Name, Version: f.VersionOf(m).Value, Reason: v1alpha1.ReasonBackupPending}
		ro, rec := book.HeldRecord(m)
		if rec == nil && m.Driver {
			h.Reason, h.Since = v1alpha1.ReasonNotRecorded, pendingSince(f, m)
		}
		if running.Restored(f, book, m) {
			h.Reason, h.TemplateHash, h.Since = v1alpha1.ReasonRestored, m.Template.Hash, &m.Created
		}
		if rec != nil {
			h.Release, h.Since = ro.Of.Name, facts.WaitingSince(rec)
			if h.Since != nil {
				until := metav1.NewTime(f.Deadline(rec))
				h.Until = &until
			}
			if ready := meta.FindStatusCondition(ro.Of.Wanted.Conditions, v1alpha1.ConditionReady); ready != nil {
				h.Reason = ready.Reason
			}
		}
		if h.Reason == v1alpha1.ReasonNotRecorded {
			until = f.Sooner(until, h.Since.Add(rule.PickUpTime))
		}
		s.Held = append(s.Held, h)
	}
	s.HeldCount = int32(len(s.Held))
	s.Held = s.Held[:min(len(s.Held), v1alpha1.MaxWorkloads)]
	return until
}
