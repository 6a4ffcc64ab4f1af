// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// Difference is what keeps an installed policy or binding from being the one that this version ships.
type Difference struct {
	Kind string
	Name string

	// Missing says that it is not installed at all.
	Missing bool

	// Path is the first field that differs, in the order of their names.
	Path string
}

// String is the difference in a form for a condition's message.
func (d Difference) String() string {
	if d.Missing {
		return fmt.Sprintf("%s %s is not installed", d.Kind, d.Name)
	}
	return fmt.Sprintf("%s %s is not the one that this version of Backstay ships: %s differs", d.Kind, d.Name, d.Path)
}

// Compare holds installed policies and bindings against those that are wanted. Only the specs count: whoever installs
// them may label and annotate them. What is installed besides is ignored.
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
			d.Path = firstDifference("spec", specOf(got), specOf(o))
		}
		if d.Missing || d.Path != "" {
			out = append(out, d)
		}
	}
	return out
}

func identify(o Object) string { return typeName(o) + " " + o.GetName() }

// typeName is taken from the Go type: an object out of a cache has no TypeMeta.
func typeName(o Object) string { return reflect.TypeOf(o).Elem().Name() }

// specOf is the spec as JSON would have it: what is empty and what is absent are the same there.
func specOf(o Object) any {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		// Every object is of one of the four typed kinds.
		panic(err)
	}
	return content["spec"]
}

// firstDifference is the path of the first field, in the order of their names, that is not the same; or nothing.
func firstDifference(path string, live, want any) string {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return path
		}
		return firstInMap(path, l, w)
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(w) {
			return path
		}
		for i := range w {
			if field := firstDifference(fmt.Sprintf("%s[%d]", path, i), l[i], w[i]); field != "" {
				return field
			}
		}
		return ""
	}
	if !reflect.DeepEqual(live, want) {
		return path
	}
	return ""
}

func firstInMap(path string, live, want map[string]any) string {
	keys := map[string]bool{}
	for key := range live {
		keys[key] = true
	}
	for key := range want {
		keys[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		l, inLive := live[key]
		w, inWant := want[key]
		if inLive != inWant {
			return path + "." + key
		}
		if field := firstDifference(path+"."+key, l, w); field != "" {
			return field
		}
	}
	return ""
}
