// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// The resource that Backups are, of whatever version of Velero.
const (
	veleroGroup       = "velero.io"
	backups           = "backups"
	operatorOnBackups = operatorName + "-" + backups
)

// backupCEL is operatorCEL with the names of what stands on a Backup.
func backupCEL(expression string) string { return backupNames.Replace(operatorCEL(expression)) }

var backupNames = strings.NewReplacer(
	"CLUSTER", quote(v1alpha1.LabelCluster),
	"NAMESPACE", quote(v1alpha1.LabelNamespace),
	"IDENTITY", list([]string{
		v1alpha1.LabelCluster, v1alpha1.LabelNamespace, v1alpha1.LabelPlan, v1alpha1.LabelRelease, v1alpha1.LabelRollout,
	}),
	"VERSION", quote(v1alpha1.LabelVersion), // of the label and of the annotation
	"MIXED", quote(v1alpha1.LabelMixed),
	"TOUCHED", quote(v1alpha1.AnnotationTouched),
	"FAILED", quote(v1alpha1.AnnotationFailed),
)

// backupsPolicy bounds what the operator's token is good for in Velero's namespace. Velero runs as an administrator of
// the cluster and does what a Backup says: it executes hooks in any pod, includes any namespace, and deletes what has
// expired. So the operator may create a Backup of one namespace as it builds them, mark its own, and withdraw those that
// Velero has not begun. It binds the identity, in whatever namespace Velero runs.
func backupsPolicy(id Identity) *admissionv1.ValidatingAdmissionPolicy {
	on := operations(veleroGroup, "*", backups, admissionv1.Create, admissionv1.Update, admissionv1.Delete)
	return boundsPolicy(operatorOnBackups, on, operatorWrites(id), backupFacts(), []bound{
		{
			`!variables.creates || variables.spec.all(k, k in ['includedNamespaces', 'storageLocation', 'ttl', 'snapshotVolumes', 'defaultVolumesToFsBackup'] ||
  k in ['metadata', 'hooks'] && variables.spec[k] == {} || k in ['csiSnapshotTimeout', 'itemOperationTimeout'] && variables.spec[k] == '0s')`,
			"the operator may create a Backup of one namespace, its storage location, retention and volumes only: no hooks, no selectors, no further resources",
		},
		{
			backupCEL(`!variables.creates || variables.spec[?'includedNamespaces'].orValue([]) == [variables.labels[?NAMESPACE].orValue('')]`),
			"the operator may create a Backup of exactly the namespace that its label names",
		},
		{
			backupCEL(`!variables.creates || IDENTITY.all(k, k in variables.labels) &&
object.metadata.name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?-[0-9]+([.][0-9]+)?-[0-9a-f]{16}$')`),
			"a Backup of the operator must be named and labelled by its plan, release and rollout",
		},
		{
			`!variables.creates || object.?status.orValue({}).size() == 0 &&
object.metadata.?finalizers.orValue([]).size() == 0 && object.metadata.?ownerReferences.orValue([]).size() == 0`,
			"the operator must not create a Backup with a status, finalizers or owners",
		},
		{
			backupCEL(`variables.creates || CLUSTER in variables.oldLabels`),
			"the operator may only touch its own Backups",
		},
		{
			`!variables.updates || object.?spec == oldObject.?spec && object.?status == oldObject.?status && ` + frozenOwners,
			"the operator may only mark a Backup, and must not change its spec, status, finalizers or owners",
		},
		{
			backupCEL(`!variables.updates || [variables.labels, variables.oldLabels].all(l, l.all(k, !k.startsWith(OURS) ||
  variables.labels[?k] == variables.oldLabels[?k] ||
  k == VERSION && !(k in variables.labels) || k == MIXED && variables.labels[?k].orValue('') == 'true'))`),
			"the operator may only take back which version a Backup captured, and must not change any other of its labels",
		},
		{
			backupCEL(`!variables.updates || [variables.annotations, variables.oldAnnotations].all(a, a.all(k, !k.startsWith(OURS) ||
  variables.annotations[?k] == variables.oldAnnotations[?k] ||
  k == VERSION && !(k in variables.annotations) ||
  k in variables.annotations && variables.annotations[k].size() <= MAX_MARK && (k == TOUCHED || k == FAILED && !(k in variables.oldAnnotations))))`),
			"the operator may only touch a Backup, record once that it failed, and take back which version it captured",
		},
		{
			`!variables.deletes || oldObject.?status.?phase.orValue('') in ['', 'New', 'Queued']`,
			"the operator may only withdraw a Backup that Velero has not begun",
		},
	})
}

func backupFacts() []admissionv1.Variable {
	return []admissionv1.Variable{
		{Name: "creates", Expression: `request.operation == 'CREATE'`},
		{Name: "updates", Expression: `request.operation == 'UPDATE'`},
		{Name: "deletes", Expression: `request.operation == 'DELETE'`},
		{Name: "spec", Expression: `object.?spec.orValue({})`},
		{Name: "labels", Expression: `object.metadata.?labels.orValue({})`},
		{Name: "oldLabels", Expression: `oldObject.metadata.?labels.orValue({})`},
		{Name: "annotations", Expression: `object.metadata.?annotations.orValue({})`},
		{Name: "oldAnnotations", Expression: `oldObject.metadata.?annotations.orValue({})`},
	}
}
