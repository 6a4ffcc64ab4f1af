// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"strings"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// A revision is the whole pod template without the annotations that ask for a restart: a difference anywhere else makes
// the controller of the workload start new pods.

// restarts are the keys of those annotations, as CEL: the one that every plan knows, and where a plan is evaluated its own.
const (
	restarts       = `['` + v1alpha1.AnnotationRestartedAt + `']`
	restartsOfPlan = `(` + restarts + ` + params.?spec.?gate.?restartAnnotations.orValue([]))`
)

// changed is a CEL expression: the write brings a new revision. Comparisons of whole fields come first: they cost little, however
// large the fields are. Only annotations are looked at one by one, and not where there are so many that the loops would run into
// the cost limit: a policy that does is passed over. More than that are a new revision wherever they differ.
func (k kind) changed(restarts string) string {
	var others []string
	for _, field := range otherMetadata {
		others = append(others, "object.TEMPLATE.?metadata.?"+field+" != oldObject.TEMPLATE.?metadata.?"+field)
	}
	expression := strings.Replace(changed, "OTHERS", strings.Join(others, " ||\n  "), 1)
	return strings.NewReplacer("TEMPLATE", k.CEL.Template, "RESTARTS", restarts, "MOST", maxTemplateAnnotations).Replace(expression)
}

const changed = `object.TEMPLATE.?spec != oldObject.TEMPLATE.?spec ||
object.TEMPLATE.?metadata != oldObject.TEMPLATE.?metadata && (
  OTHERS ||
  object.TEMPLATE.?metadata.?annotations != oldObject.TEMPLATE.?metadata.?annotations && (
    object.TEMPLATE.?metadata.?annotations.orValue({}).size() > MOST ||
    oldObject.TEMPLATE.?metadata.?annotations.orValue({}).size() > MOST ||
    object.TEMPLATE.?metadata.?annotations.orValue({}).exists(k, !(k in RESTARTS) &&
      oldObject.TEMPLATE.?metadata.?annotations[?k] != object.TEMPLATE.?metadata.?annotations[?k]) ||
    oldObject.TEMPLATE.?metadata.?annotations.orValue({}).exists(k, !(k in RESTARTS) &&
      !object.TEMPLATE.?metadata.?annotations[?k].hasValue())))`

// maxTemplateAnnotations is how many annotations of a template are looked at one by one.
const maxTemplateAnnotations = "1000"

// otherMetadata is all metadata that a template can carry besides annotations. Most of it means nothing there, and is part
// of what the controller compares all the same.
var otherMetadata = []string{
	"labels", "name", "generateName", "namespace", "finalizers", "ownerReferences", "uid", "selfLink", "resourceVersion",
	"generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
}
