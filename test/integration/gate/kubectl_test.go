// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstay-dr/backstay/api/v1alpha1"
	"github.com/backstay-dr/backstay/test/integration/harness"
)

// manifest is the Deployment "web" as somebody would write it.
func manifest(tag string, spec ...string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app.kubernetes.io/part-of: shop}
spec:
  %s
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "shop/web:%s"}
`, strings.Join(spec, "\n  "), tag)
}

// kubectlShop has the plan, and "web" as the given command created it.
func kubectlShop(t *testing.T, create ...string) (*shop, *harness.Kubectl) {
	t.Helper()
	s := newEmptyShopOn(t, plane)
	s.enforce(s.plan("shop", "Hold"))
	k := s.cp.Kubectl(t, s.developer, s.namespace)
	k.RunWith(manifest("1"), create...)
	return s, k
}

// warned fails the test unless kubectl printed the notice, once.
func (s *shop) warned(result harness.Result) {
	s.t.Helper()
	want := fmt.Sprintf("rollout of web is held by DRPlan shop until its backup completes; "+
		"see why it waits: kubectl -n %s describe deployment web\n", s.namespace)
	if !strings.HasPrefix(result.Stderr, "Warning: ") || strings.Count(result.Stderr, want) != 1 {
		s.t.Errorf("kubectl did not print the notice once:\n%s", result.Stderr)
	}
}

func silent(t *testing.T, result harness.Result) {
	t.Helper()
	if result.Stderr != "" {
		t.Errorf("kubectl complains:\n%s", result.Stderr)
	}
}

func TestKubectlIsHeldAndSaysSo(t *testing.T) {
	t.Parallel()
	const strategic = `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop/web:2"}]}}}}`
	const operation = `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"shop/web:2"}]`
	create := []string{"create", "-f", "-"}
	apply := []string{"apply", "-f", "-"}
	serverSide := []string{"apply", "--server-side", "-f", "-"}
	tests := map[string]struct {
		create, change []string
		stdin          string
	}{
		"set image":       {create: create, change: []string{"set", "image", "deployment/web", "web=shop/web:2"}},
		"patch strategic": {create: create, change: []string{"patch", "deployment", "web", "-p", strategic}},
		"patch merge":     {create: create, change: []string{"patch", "deployment", "web", "--type=merge", "-p", strategic}},
		"patch json":      {create: create, change: []string{"patch", "deployment", "web", "--type=json", "-p", operation}},
		"apply":           {create: apply, change: apply, stdin: manifest("2")},
		"server-side":     {create: serverSide, change: serverSide, stdin: manifest("2")},
		"replace":         {create: create, change: []string{"replace", "-f", "-"}, stdin: manifest("2")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, k := kubectlShop(t, test.create...)
			s.warned(k.RunWith(test.stdin, test.change...))
			s.is(s.get("web"), s.held("2"))
		})
	}
}

func TestKubectlDryRunTellsThatItWouldBeHeld(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	result := k.Run("set", "image", "deployment/web", "web=shop/web:2", "--dry-run=server", "-o", "jsonpath={.spec.paused}")
	s.warned(result)
	if result.Stdout != "true" {
		t.Errorf("paused: %q", result.Stdout)
	}
	s.is(s.get("web"), free("1"))
}

func TestKubectlRolloutResumeIsHeldAgainAndSaysSo(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	k.Run("set", "image", "deployment/web", "web=shop/web:2")
	s.warned(k.Run("rollout", "resume", "deployment/web"))
	s.is(s.get("web"), s.held("2"))
}

// The person need not have a right of Backstay's for it.
func TestCommandOfTheNoticeWorksForWhoeverGetsIt(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	heard := k.Run("set", "image", "deployment/web", "web=shop/web:2").Stderr
	_, command, _ := strings.Cut(strings.TrimSpace(heard), "see why it waits: kubectl ")
	s.mustPatch(s.operator(), annotation(v1alpha1.AnnotationHeldReason, "waits for backup 7"))
	if said := k.Run(strings.Fields(command)...).Stdout; !strings.Contains(said, "dr.backstay.dev/held-reason: waits for backup 7") {
		t.Errorf("kubectl %s does not say why:\n%s", command, said)
	}
}

// It may be a revert, which is released at once.
func TestFurtherChangeOfWhatIsHeldAlreadyBringsNoNotice(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	s.warned(k.Run("set", "image", "deployment/web", "web=shop/web:2"))
	silent(t, k.Run("set", "image", "deployment/web", "web=shop/web:1"))
	s.is(s.get("web"), s.held("1"))
}

func TestKubectlScaleGoesThroughSilentlyWhileHeld(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	k.Run("set", "image", "deployment/web", "web=shop/web:2")
	silent(t, k.Run("scale", "deployment/web", "--replicas=4"))
	d := s.get("web")
	s.is(d, s.held("2"))
	if *d.Spec.Replicas != 4 {
		t.Errorf("%d replicas, want 4", *d.Spec.Replicas)
	}
}

func TestKubectlRolloutRestartIsNotHeld(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	silent(t, k.Run("rollout", "restart", "deployment/web"))
	d := s.get("web")
	s.is(d, free("1"))
	if len(d.Spec.Template.Annotations) != 1 {
		t.Error("nothing was restarted")
	}
}

func TestKubectlRolloutRestartAndUndoRefuseWhileHeld(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	s.revision(1)
	k.Run("set", "image", "deployment/web", "web=shop/web:2")
	s.release()
	s.revision(2)
	k.Run("set", "image", "deployment/web", "web=shop/web:3")
	for _, verb := range []string{"restart", "undo"} {
		result := k.Try("", "rollout", verb, "deployment/web")
		if result.Code == 0 || !strings.Contains(result.Stderr, "paused") {
			t.Errorf("rollout %s: code %d, %s", verb, result.Code, result.Stderr)
		}
	}
	s.is(s.get("web"), s.held("3"))
}

func TestKubectlRolloutUndoIsHeld(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "create", "-f", "-")
	s.revision(1)
	k.Run("set", "image", "deployment/web", "web=shop/web:2")
	s.release()
	s.revision(2)
	s.warned(k.Run("rollout", "undo", "deployment/web"))
	s.is(s.get("web"), s.held("1"))
}

func TestServerSideApplyTwiceHasNoConflictAndOwnsNoPause(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "apply", "--server-side", "-f", "-")
	for range 2 {
		s.warned(k.RunWith(manifest("2"), "apply", "--server-side", "-f", "-"))
		s.is(s.get("web"), s.held("2"))
	}
	for _, entry := range s.get("web").ManagedFields {
		if owns(entry, "f:paused") || containsKey(entry.FieldsV1.GetRawBytes(), "f:metadata", "f:annotations") {
			t.Errorf("%s owns what the gate set: %s", entry.Manager, entry.FieldsV1.GetRawBytes())
		}
	}
}

func TestKubectlDiffIsCleanWhileHeld(t *testing.T) {
	t.Parallel()
	for _, apply := range [][]string{{"apply"}, {"apply", "--server-side"}} {
		t.Run(strings.Join(apply, " "), func(t *testing.T) {
			t.Parallel()
			_, k := kubectlShop(t, append(apply, "-f", "-")...)
			k.RunWith(manifest("2"), append(apply, "-f", "-")...)
			diff := append([]string{"diff"}, apply[1:]...)
			if result := k.Try(manifest("2"), append(diff, "-f", "-")...); result.Code != 0 || result.Stdout != "" {
				t.Errorf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
			}
		})
	}
}

func TestPausedFalseOfAnotherManagerIsHeldAgainWithoutConflict(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "apply", "--server-side", "-f", "-")
	k.RunWith(manifest("2"), "apply", "--server-side", "-f", "-")
	unpause := "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {paused: false}}"
	for range 2 {
		s.warned(k.RunWith(unpause, "apply", "--server-side", "--field-manager=another", "-f", "-"))
		s.is(s.get("web"), s.held("2"))
	}
	s.release()
	silent(t, k.RunWith(unpause, "apply", "--server-side", "--field-manager=another", "-f", "-"))
	s.is(s.get("web"), free("2"))
}

func TestPausedFalseInTheManifestIsHeldAllTheSame(t *testing.T) {
	t.Parallel()
	for _, apply := range [][]string{{"apply", "-f", "-"}, {"apply", "--server-side", "-f", "-"}} {
		t.Run(strings.Join(apply, " "), func(t *testing.T) {
			t.Parallel()
			s, k := kubectlShop(t, apply...)
			for range 2 {
				s.warned(k.RunWith(manifest("2", "paused: false"), apply...))
				s.is(s.get("web"), s.held("2"))
			}
			s.release()
			silent(t, k.RunWith(manifest("2", "paused: false"), apply...))
			s.is(s.get("web"), free("2"))
		})
	}
}

func TestPausedTrueInTheManifestOutlivesTheHold(t *testing.T) {
	t.Parallel()
	s, k := kubectlShop(t, "apply", "--server-side", "-f", "-")
	k.RunWith(manifest("2", "paused: true"), "apply", "--server-side", "-f", "-")
	s.is(s.get("web"), s.heldForUser("2"))
	// Taken out of the manifest it is resumed, and held still.
	k.RunWith(manifest("2"), "apply", "--server-side", "-f", "-")
	s.is(s.get("web"), s.held("2"))
}
