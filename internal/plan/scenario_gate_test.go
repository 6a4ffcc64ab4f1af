// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"time"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

var gateStories = map[string]func(s *sim){
	"deadline_hold": func(s *sim) {
		s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineHold))
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(2 * time.Minute)
	},
	"deadline_release": func(s *sim) {
		s.editPlan(shop, gen.Deadline(60, v1alpha1.DeadlineRelease))
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(2 * time.Minute)
		s.velero.down = false
		s.pass(aWhile)
	},
	"overridden": func(s *sim) {
		s.velero.down = true
		s.set("web", "1.5.0")
		s.set("api", "1.5.0")
		s.pass(5 * time.Second)
		s.edit("web", admin, override("the shop is down"))
		s.pass(5 * time.Second)
		s.velero.down = false
		s.pass(aWhile)
	},
	"overridden_in_the_same_write": func(s *sim) {
		s.edit("web", admin, gen.Runs("1.5.0"), override("the shop is down"))
		s.pass(aWhile)
	},
	"escaped": func(s *sim) {
		s.gateUp = false
		s.set("web", "1.5.0")
		s.pass(5 * time.Second)
		s.gateUp = true
		s.tell()
		s.pass(aWhile)
	},
	"gate_not_in_force": func(s *sim) {
		s.gateUp = false
		s.tell()
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"observe": func(s *sim) {
		s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"off_and_on_again": func(s *sim) {
		s.editPlan(shop, gen.Mode(v1alpha1.GateModeDisabled))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.editPlan(shop, gen.Mode(v1alpha1.GateModeHold))
		s.pass(moment)
		s.set("web", "1.4.2")
		s.pass(aWhile)
	},
	"mode_changed_while_held": func(s *sim) {
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(moment)
		s.editPlan(shop, gen.Mode(v1alpha1.GateModeObserve))
		s.pass(5 * time.Second)
		s.velero.down = false
		s.pass(aWhile)
	},
	"paused_by_a_user": func(s *sim) {
		s.edit("web", "user", gen.Paused())
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.edit("web", "user", resume())
		s.pass(aWhile)
	},
	"resumed_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.edit("web", "user", resume())
		s.pass(aWhile)
	},
	"stale_mark": func(s *sim) {
		s.gateUp = false
		s.edit("web", "user", gen.Annotation(v1alpha1.AnnotationHeldBy, "ns/shop"))
		s.pass(aWhile)
	},
}

var planStories = map[string]func(s *sim){
	"plan_deleted_while_held": func(s *sim) {
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(moment)
		s.deletePlan(shop)
		s.pass(5 * time.Second)
		s.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
		s.pass(5 * time.Second)
	},
	"plan_deleted_before_the_hold_is_recorded": func(s *sim) {
		s.away(func() {
			s.set("web", "1.5.0")
			s.deletePlan(shop)
		})
		s.pass(5 * time.Second)
	},
	"deselected_while_held": func(s *sim) {
		s.velero.down = true
		s.set("web", "1.5.0")
		s.pass(moment)
		s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"))
		s.pass(5 * time.Second)
		s.velero.down = false
		s.pass(aWhile)
	},
	"deselected_in_the_write_that_is_held": func(s *sim) {
		s.edit("web", "user", gen.Label(gen.LabelPartOf, "nothing"), gen.Runs("1.5.0"))
		s.pass(aWhile)
		s.set("web", "1.6.0")
		s.pass(aWhile)
	},
	"deleted_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.deleteDeployment("web")
		s.pass(aWhile)
	},
	"deleted_and_created_while_held": func(s *sim) {
		s.set("web", "1.5.0")
		s.pass(moment)
		s.deleteDeployment("web")
		s.createDeployment(gen.Deployment("web", gen.Runs("1.4.2")))
		s.pass(aWhile)
		s.set("web", "1.5.0")
		s.pass(aWhile)
	},
	"two_plans": func(s *sim) {
		s.edit("web", "user", gen.Label("team", "blue"))
		s.createPlan(gen.Plan("abc", gen.Selects("team", "blue")))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(aWhile)
		s.deletePlan("abc")
		s.pass(aWhile)
		s.set("web", "1.6.0")
		s.pass(aWhile)
	},
	"plan_deleted_while_another_holds_too": func(s *sim) {
		s.edit("web", "user", gen.Label("team", "blue"))
		s.createPlan(gen.Plan("abc", gen.Selects("team", "blue")))
		s.pass(moment)
		s.set("web", "1.5.0")
		s.pass(moment)
		s.deletePlan("abc")
		s.pass(aWhile)
	},
	"namespace_terminating": func(s *sim) {
		s.set("web", "1.5.0")
		s.terminating = true
		s.tell()
		s.pass(aWhile)
	},
	"new_deployment": func(s *sim) {
		s.createDeployment(gen.Deployment("worker", gen.Runs("1.4.2")))
		s.pass(5 * time.Second)
		s.set("worker", "1.5.0")
		s.pass(aWhile)
	},
}
