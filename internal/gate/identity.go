// Copyright 2026 The Backstay Authors.
// SPDX-License-Identifier: Apache-2.0

package gate

import "strings"

// Identity is the ServiceAccount that the operator runs under. The policies exempt it where it releases a hold.
type Identity struct {
	Namespace      string
	ServiceAccount string
}

// DefaultIdentity is the identity that config/default installs, and that config/gate is generated for.
func DefaultIdentity() Identity {
	return Identity{Namespace: "backstay-system", ServiceAccount: "backstay-controller-manager"}
}

// Username is how the API server names the identity.
func (i Identity) Username() string {
	return serviceAccountPrefix + i.Namespace + ":" + i.ServiceAccount
}

const serviceAccountPrefix = "system:serviceaccount:"

// ParseUsername finds the ServiceAccount behind a username; false for any other user.
func ParseUsername(username string) (Identity, bool) {
	rest, ok := strings.CutPrefix(username, serviceAccountPrefix)
	namespace, name, both := strings.Cut(rest, ":")
	return Identity{Namespace: namespace, ServiceAccount: name}, ok && both && namespace != "" && name != ""
}
