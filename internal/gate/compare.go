// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
)

// Difference is what keeps an installed policy or binding from being the one that this version ships.
type Difference struct {
	Kind string
	Name string

	// Missing says that it is not installed at all.
	Missing bool

	// Path is the first field that differs.
	Path string
}

func (d Difference) String() string {
	if d.Missing {
		return fmt.Sprintf("%s %s is not installed", d.Kind, d.Name)
	}
	return fmt.Sprintf("%s %s is not the one that this version of Backstay ships: %s differs", d.Kind, d.Name, d.Path)
}

// Compare holds installed policies and bindings against those that are wanted. Only their specs matter.
func Compare(live, want []Object) []Difference {
	installed := map[string]Object{}
	for _, o := range live {
		installed[identify(o)] = o
	}
	var out []Difference
	for _, o := range want {
		d := Difference{Kind: typeName(o), Name: o.GetName()}
		got, found := installed[identify(o)]
		if d.Missing = !found; found {
			d.Path = firstDifference(specOf(got), specOf(o))
		}
		if d.Missing || d.Path != "" {
			out = append(out, d)
		}
	}
	return out
}

// Fingerprint identifies the installed policies and bindings as they are now: it changes whenever the spec of one does.
func Fingerprint(live []Object) string {
	var b strings.Builder
	for _, o := range live {
		fmt.Fprintf(&b, "%s/%s/%d\n", identify(o), o.GetUID(), o.GetGeneration())
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:10])
}

func identify(o Object) string { return typeName(o) + "/" + o.GetName() }

// typeName is taken from the Go type: an object out of a cache has no TypeMeta.
func typeName(o Object) string { return reflect.TypeOf(o).Elem().Name() }

func specOf(o Object) any { return reflect.ValueOf(o).Elem().FieldByName("Spec").Interface() }

// firstDifference is the path of the first field that differs, "" where none does.
func firstDifference(got, want any) string {
	if equality.Semantic.DeepEqual(got, want) {
		return ""
	}
	r := &pathReporter{}
	cmp.Equal(got, want, cmp.Reporter(r))
	return "spec" + r.first
}

// pathReporter remembers where go-cmp first met a difference.
type pathReporter struct {
	path  cmp.Path
	first string
}

func (r *pathReporter) PushStep(s cmp.PathStep) { r.path = append(r.path, s) }
func (r *pathReporter) PopStep()                { r.path = r.path[:len(r.path)-1] }

func (r *pathReporter) Report(result cmp.Result) {
	if !result.Equal() && r.first == "" {
		r.first = fieldPath(r.path)
	}
}

// fieldPath writes a path as people write that of a field in YAML.
func fieldPath(path cmp.Path) string {
	var b strings.Builder
	for _, step := range path {
		switch s := step.(type) {
		case cmp.StructField:
			b.WriteString("." + strings.ToLower(s.Name()[:1]) + s.Name()[1:])
		case cmp.SliceIndex:
			if i := s.Key(); i >= 0 {
				fmt.Fprintf(&b, "[%d]", i)
			}
		}
	}
	return b.String()
}
