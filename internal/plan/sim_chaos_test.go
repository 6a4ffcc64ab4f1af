// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"fmt"
	"maps"
	"time"

	velerov1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/gen"
)

// chaos is a world in which anything happens, as a list of bytes says: users, failures, kills, old caches, a second
// operator. After each start the release rule is checked by the facts, and in the end everything must come to rest.
type chaos struct {
	*sim
	other *operator
	steps int
}

var (
	chaosWorkloads = []string{"web", "api", "job"}
	chaosVersions  = []string{"1.4.2", "1.5.0", "1.6.0"}
)

// another plan that selects the Deployments of the blue team.
const till = "till"

func newChaos(s *sim) *chaos { return &chaos{sim: s, other: newOperator(s.world)} }

// act does what two bytes say.
func (c *chaos) act(what, how byte) {
	actions := []func(byte){
		c.rollOut, c.rollOut, c.rollOut, c.configure, c.replace, c.rollOutAll,
		c.wait, c.wait, c.wait, c.waitLong, c.jump,
		c.kill, c.kill, c.stop, c.lagBehind, c.workElsewhere, c.skew,
		c.override, c.pauseOrResume, c.restartPods, c.scaleToZero, c.breakPods,
		c.failBackup, c.failBackup, c.breakVelero, c.deleteBackup, c.syncBucket, c.breakLocation,
		c.announce, c.announceAgain, c.deleteRelease, c.twin, c.askAgain, c.history,
		c.refuse, c.gate, c.mode, c.deadline, c.attempts, c.planGone, c.overlap, c.label, c.recreate, c.adopt, c.checksum, c.unmark,
	}
	c.steps++
	actions[int(what)%len(actions)](how)
}

func pick[T any](list []T, how byte) T { return list[int(how)%len(list)] }

func (c *chaos) rollOut(how byte) {
	c.set(pick(chaosWorkloads, how), pick(chaosVersions, how/4))
}

func (c *chaos) rollOutAll(how byte) {
	for _, name := range chaosWorkloads {
		c.set(name, pick(chaosVersions, how))
	}
}

func (c *chaos) configure(how byte) {
	c.edit(pick(chaosWorkloads, how), "user", gen.Config("REV", fmt.Sprint(c.steps)))
}

// replace is `kubectl replace`, which drops the pause and the marks.
func (c *chaos) replace(how byte) {
	c.set(pick(chaosWorkloads, how), pick(chaosVersions, how/4), gen.Changed(func(d *appsv1.Deployment) {
		d.Spec.Paused, d.Annotations = false, nil
	}))
}

func (c *chaos) wait(how byte)     { c.pass(time.Duration(how%4+1) * time.Second) }
func (c *chaos) waitLong(how byte) { c.pass(time.Duration(how%40+5) * time.Second) }

// jump lets hours pass in which nobody looks.
func (c *chaos) jump(how byte) {
	c.now = c.now.Add(time.Duration(how) * 10 * time.Minute)
	c.pass(2 * time.Second)
}

func (c *chaos) kill(how byte)      { c.op.crashAfter = int(how % 6); c.settle() }
func (c *chaos) lagBehind(how byte) { c.op.lag = int(how % 12); c.op.restart(); c.settle() }
func (c *chaos) skew(how byte)      { c.op.clock = time.Duration(int(how%3)-1) * time.Second }

// stop stops the operator, or starts it again.
func (c *chaos) stop(byte) {
	c.op.down = !c.op.down
	c.unwatched = c.op.down
	c.op.restart()
}

// workElsewhere lets a second operator with old caches take a few turns.
func (c *chaos) workElsewhere(how byte) {
	c.other.lag, c.other.crashAfter = int(how%12), int(how/16)
	c.other.restart()
	c.other.work()
	c.other.work()
}

func (c *chaos) override(how byte) {
	options := []gen.DeploymentOption{override("it burns")}
	if how >= 128 {
		options = append(options, gen.Runs(pick(chaosVersions, how/4)))
	}
	c.edit(pick(chaosWorkloads, how), admin, options...)
}

func (c *chaos) pauseOrResume(how byte) {
	if how >= 128 {
		c.edit(pick(chaosWorkloads, how), "user", resume())
		return
	}
	c.edit(pick(chaosWorkloads, how), "user", gen.Paused())
}

func (c *chaos) restartPods(how byte) {
	c.edit(pick(chaosWorkloads, how), "user", gen.TemplateAnnotation(v1alpha1.AnnotationRestartedAt, fmt.Sprint(c.steps)))
}

// scaleToZero and back, while held too.
func (c *chaos) scaleToZero(how byte) {
	d := c.deployments[pick(chaosWorkloads, how)]
	if d == nil {
		return
	}
	c.edit(d.Name, "user", gen.Replicas(1-*d.Spec.Replicas))
}

func (c *chaos) breakPods(how byte) {
	name := pick(chaosWorkloads, how)
	c.broken[name] = !c.broken[name]
}

func (c *chaos) failBackup(how byte) {
	c.world.velero.endings = append(c.world.velero.endings, pick([]velerov1.BackupPhase{
		velerov1.BackupPhaseFailed, velerov1.BackupPhasePartiallyFailed, velerov1.BackupPhaseFailedValidation,
		velerov1.BackupPhaseFinalizing, velerov1.BackupPhaseCompleted,
	}, how))
	c.world.velero.reason = ""
	if how >= 128 {
		c.world.velero.reason = "lost"
	}
}

func (c *chaos) breakVelero(how byte) {
	c.world.velero.down = how%2 == 0
	c.world.velero.duration = time.Duration(how%16) * time.Second
}

func (c *chaos) deleteBackup(how byte) {
	if names := sorted(c.backups); len(names) > 0 {
		c.world.deleteBackup(pick(names, how))
	}
}

func (c *chaos) syncBucket(byte) { c.syncBackups() }

func (c *chaos) breakLocation(how byte) {
	phase := velerov1.BackupStorageLocationPhaseAvailable
	if how%2 == 0 {
		phase = velerov1.BackupStorageLocationPhaseUnavailable
	}
	c.setLocation(phase)
}

func (c *chaos) announce(how byte) {
	c.createRelease(gen.Release(shop, pick(chaosVersions, how), gen.Deploy()))
}

// announceAgain changes the intent of a release.
func (c *chaos) announceAgain(how byte) {
	if names := sorted(c.releases); len(names) > 0 {
		c.editRelease(pick(names, how/2), pick([]gen.ReleaseOption{gen.Deploy(), gen.Record()}, how))
	}
}

// askAgain asks for another attempt at the backup of a release.
func (c *chaos) askAgain(how byte) {
	if names := sorted(c.releases); len(names) > 0 {
		c.editRelease(pick(names, how), retryNow(fmt.Sprint(c.steps)))
	}
}

func (c *chaos) history(how byte) { c.editPlan(shop, gen.HistoryLimit(int32(how%4+1))) }

// twin is a second release of a version.
func (c *chaos) twin(how byte) {
	version := pick(chaosVersions, how)
	c.createRelease(gen.Release(shop, version, gen.Named("twin-"+version), gen.Deploy()))
}

func (c *chaos) deleteRelease(how byte) {
	if names := sorted(c.releases); len(names) > 0 {
		c.world.deleteRelease(pick(names, how))
	}
}

// refuse lets the API server refuse what an operator writes of some kinds, or nothing any more.
func (c *chaos) refuse(how byte) {
	refused := func(obj client.Object) bool {
		switch obj.(type) {
		case *v1alpha1.AppRelease:
			return how&1 > 0
		case *velerov1.Backup:
			return how&2 > 0
		case *v1alpha1.DRPlan:
			return how&4 > 0
		default:
			return how&8 > 0
		}
	}
	c.op.refuses, c.other.refuses = refused, refused
	c.say("cluster", "refuses %04b", how&15)
}

func (c *chaos) gate(byte) { c.gateUp = !c.gateUp; c.tell() }

func (c *chaos) mode(how byte) {
	c.editPlan(shop, gen.Mode(pick([]v1alpha1.GateMode{
		v1alpha1.GateModeHold, v1alpha1.GateModeHold, v1alpha1.GateModeObserve, v1alpha1.GateModeDisabled,
	}, how)))
}

func (c *chaos) deadline(how byte) {
	c.editPlan(shop, gen.Deadline(60, pick([]v1alpha1.DeadlineAction{v1alpha1.DeadlineHold, v1alpha1.DeadlineRelease}, how)))
}

func (c *chaos) attempts(how byte) { c.editPlan(shop, gen.BackupAttempts(int32(how%4+1))) }

func (c *chaos) planGone(byte) {
	if c.plans[shop] != nil {
		c.deletePlan(shop)
		return
	}
	c.createPlan(gen.Plan(shop, gen.Planned("1.4.2")))
}

func (c *chaos) overlap(how byte) {
	if c.plans[till] != nil {
		c.deletePlan(till)
		return
	}
	c.createPlan(gen.Plan(till, gen.Selects("team", "blue"), gen.Mode(pick([]v1alpha1.GateMode{
		v1alpha1.GateModeHold, v1alpha1.GateModeObserve,
	}, how))))
}

// label takes a Deployment from the plan, gives it back, or to the blue team.
func (c *chaos) label(how byte) {
	key, values := gen.LabelPartOf, []string{shop, "nothing"}
	if how >= 128 {
		key, values = "team", []string{"blue", "red"}
	}
	c.edit(pick(chaosWorkloads, how), "user", gen.Label(key, pick(values, how/4)))
}

func (c *chaos) recreate(how byte) {
	name := pick(chaosWorkloads, how)
	c.deleteDeployment(name)
	if how >= 64 {
		c.createDeployment(gen.Deployment(name, gen.Runs(pick(chaosVersions, how/4))))
	}
}

// adopt lets a Deployment adopt a ReplicaSet of somebody's, with a pod.
func (c *chaos) adopt(how byte) {
	if d := c.deployments[pick(chaosWorkloads, how)]; d != nil {
		c.adopts(d.Name, gen.Runs(pick(chaosVersions, how/4)))
	}
}

// checksum changes an annotation of the pod template.
func (c *chaos) checksum(how byte) {
	c.edit(pick(chaosWorkloads, how), "user", gen.TemplateAnnotation("checksum/config", fmt.Sprint(how/4)))
}

// unmark removes the mark of a hold, and nothing else.
func (c *chaos) unmark(how byte) {
	c.edit(pick(chaosWorkloads, how), "user", gen.Changed(func(d *appsv1.Deployment) {
		d.Annotations = maps.Clone(d.Annotations)
		delete(d.Annotations, v1alpha1.AnnotationHeldBy)
	}))
}

// calm ends all that is wrong, and lets everything come to rest.
func (c *chaos) calm() {
	c.op.down, c.op.crashAfter, c.op.lag, c.op.refuses = false, -1, 0, nil
	c.unwatched = false
	c.op.restart()
	c.world.velero.down, c.world.velero.endings, c.world.velero.duration = false, nil, 3*time.Second
	for _, name := range sorted(c.backups) {
		if b := c.backups[name].DeepCopy(); b.Status.Phase == velerov1.BackupPhaseFinalizing {
			c.endBackup(b)
		}
	}
	c.gateUp, c.broken = true, map[string]bool{}
	c.setLocation(velerov1.BackupStorageLocationPhaseAvailable)
	for _, name := range sorted(c.plans) {
		c.editPlan(name, gen.BackupAttempts(10))
	}
	c.tell()
	for _, name := range sorted(c.deployments) {
		c.edit(name, "user", resume())
	}
	c.pass(4 * time.Minute)
}

// mustBeFree fails the test if something is still held after everything came to rest: nothing waits for ever.
func (c *chaos) mustBeFree() {
	for _, name := range sorted(c.deployments) {
		if d := c.deployments[name]; view(d).HeldBy != "" {
			c.Errorf("%s is left behind: %s", name, c.describe(d))
		}
	}
}
