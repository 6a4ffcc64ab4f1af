// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/backstay-dr/backstay/api/v1alpha1"
)

// A hash identifies a revision: the whole pod template but for the annotations that ask for a restart. It has the form
// "<scheme>-<digest>". The scheme says how it was computed: by which version of this file, from which fields of
// k8s.io/api, and without which annotations. Hashes of different schemes cannot be compared: a library that knows one more
// field would otherwise make every workload look changed after an upgrade of the operator.

// hashVersion is raised when this file computes hashes in another way.
const hashVersion = "v2"

// digestLength is how many hexadecimal digits of a SHA-256 make a digest.
const digestLength = 20

// Scheme is how hashes are computed where further annotations of the pod template mean a restart.
func Scheme(restartAnnotations []string) string {
	scheme := hashVersion + "." + templateFields()
	if len(restartAnnotations) > 0 {
		keys := slices.Sorted(slices.Values(restartAnnotations))
		scheme += "." + digest(4, []byte(strings.Join(slices.Compact(keys), "\n")))
	}
	return scheme
}

// Comparable reports whether a hash was computed by a scheme.
func Comparable(hash, scheme string) bool {
	return strings.HasPrefix(hash, scheme+"-")
}

// Digest is a hash without its scheme, which another version of Backstay may well compute too.
func Digest(hash string) string {
	_, digest, _ := strings.Cut(hash, "-")
	return digest
}

// templateFields identifies the fields of a pod template that the linked k8s.io/api knows.
var templateFields = sync.OnceValue(func() string { return fieldsOf(reflect.TypeFor[corev1.PodTemplateSpec]()) })

// fieldsOf identifies the JSON fields of a type and of the types below it.
func fieldsOf(t reflect.Type) string {
	var fields strings.Builder
	writeFields(&fields, t, map[reflect.Type]bool{})
	return digest(6, []byte(fields.String()))
}

// writeFields lists the JSON fields of a type and of the types below it, each type once.
func writeFields(out *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		writeFields(out, t.Elem(), seen)
	case reflect.Struct:
		if seen[t] {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(out, "%s %s\n", t.Name(), f.Tag.Get("json"))
			writeFields(out, f.Type, seen)
		}
	}
}

// fingerprint is what Slim keeps of a pod template, for the hash: which annotations count depends on the plan.
type fingerprint struct {
	// base is a digest of everything but the annotations. Of the metadata only the labels mean anything in a template, but
	// its controller compares a name there too.
	base string

	// annotations are digests of the annotations, in the form "<key>=<digest>", sorted; those that always mean a restart
	// are left out.
	annotations []string
}

func fingerprintOf(t *corev1.PodTemplateSpec) fingerprint {
	labels := maps.Clone(t.Labels)
	delete(labels, appsv1.DefaultDeploymentUniqueLabelKey) // of a ReplicaSet
	others := t.ObjectMeta
	others.Labels, others.Annotations = nil, nil
	raw, err := json.Marshal(struct {
		Spec   *corev1.PodSpec
		Labels map[string]string
		Others metav1.ObjectMeta `json:",omitzero"`
	}{&t.Spec, labels, others})
	if err != nil {
		// A pod template came from JSON: it has no value that JSON cannot express.
		panic(err)
	}
	f := fingerprint{base: digest(digestLength, raw)}
	for key, value := range t.Annotations {
		if key != v1alpha1.AnnotationRestartedAt {
			f.annotations = append(f.annotations, key+"="+digest(digestLength, []byte(value)))
		}
	}
	slices.Sort(f.annotations)
	return f
}

// hash is that of a template with this fingerprint, where further annotations mean a restart.
func (f fingerprint) hash(restartAnnotations []string) string {
	counted := slices.DeleteFunc(slices.Clone(f.annotations), func(a string) bool {
		key, _, _ := strings.Cut(a, "=")
		return slices.Contains(restartAnnotations, key)
	})
	sum := f.base
	if len(counted) > 0 {
		sum = digest(digestLength, []byte(f.base+"\n"+strings.Join(counted, "\n")))
	}
	return Scheme(restartAnnotations) + "-" + sum
}

func digest(length int, raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])[:length]
}
