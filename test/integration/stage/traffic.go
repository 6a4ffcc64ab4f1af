// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package stage

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// Call is a kind of request to the API server.
type Call struct {
	// Verb as RBAC knows it, of whatever is asked for.
	Verb string

	// Resource with its subresource: "drplans/status".
	Resource string

	// DryRun says that nothing was to be stored.
	DryRun bool
}

func (c Call) String() string {
	if c.DryRun {
		return c.Verb + " " + c.Resource + " (dry run)"
	}
	return c.Verb + " " + c.Resource
}

// Writes reports whether a call changes what is stored.
func (c Call) Writes() bool {
	switch c.Verb {
	case "create", "update", "patch", "delete":
		return !c.DryRun && !strings.HasSuffix(c.Resource, "reviews")
	default:
		return false
	}
}

// Traffic counts the requests that go through a transport.
type Traffic struct {
	mu        sync.Mutex
	counts    map[Call]int
	forbidden []string
}

// Wrap puts the counter around a transport: rest.Config.Wrap takes it.
func (t *Traffic) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		call := callOf(req)
		t.count(call)
		resp, err := next.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusForbidden {
			t.refused(fmt.Sprintf("%s: %s %s", call, req.Method, req.URL.Path))
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func (t *Traffic) count(call Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[Call]int{}
	}
	t.counts[call]++
}

func (t *Traffic) refused(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forbidden = append(t.forbidden, what)
}

// Counts are the requests up to now.
func (t *Traffic) Counts() map[Call]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.counts)
}

// Since is what was added to earlier Counts.
func (t *Traffic) Since(earlier map[Call]int) map[Call]int {
	out := t.Counts()
	for call, n := range earlier {
		if out[call] -= n; out[call] == 0 {
			delete(out, call)
		}
	}
	return out
}

// Forbidden lists the requests that the API server refused for want of a right.
func (t *Traffic) Forbidden() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.forbidden...)
}

var verbs = map[string]string{
	http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
}

// callOf reads a request as the API server's authorizer does.
func callOf(req *http.Request) Call {
	query := req.URL.Query()
	call := Call{Verb: verbs[req.Method], DryRun: query.Has("dryRun")}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	skip := 2 // api/v1
	if parts[0] == "apis" {
		skip = 3 // apis/group/version
	}
	if len(parts) <= skip || parts[0] != "api" && parts[0] != "apis" {
		return Call{Verb: "get", Resource: "/" + parts[0]} // discovery
	}
	parts = parts[skip:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	call.Resource = parts[0]
	if len(parts) > 2 {
		call.Resource += "/" + parts[2]
	}
	switch {
	case call.Verb != "":
	case query.Get("watch") == "true":
		call.Verb = "watch"
	case len(parts) == 1:
		call.Verb = "list"
	default:
		call.Verb = "get"
	}
	return call
}
