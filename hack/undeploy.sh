#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Removes Backstay from the cluster of the current kubeconfig, and leaves nothing held:
#
#   1. the admission policies, so that nothing new is held
#   2. the plans, so that the operator releases what is held
#   3. when nothing is held any more, everything else
#
# Backups stay: they are Velero's. KUBECTL names the kubectl to use, OVERLAY another kustomization than config/default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kubectl=${KUBECTL:-kubectl}
overlay=${OVERLAY:-config/default}
patience=${PATIENCE:-60} # seconds that the operator is given to release what is held

say() { echo "==> $*"; }

# held prints "namespace name paused-by-user" of each Deployment that is held: paused, and marked by a plan of its own
# namespace. A mark that a restore brought along from another namespace is nobody's hold.
held() {
  "$kubectl" get deployments --all-namespaces -o go-template='{{range .items}}{{$a := .metadata.annotations}}{{if and $a .spec.paused}}{{.metadata.namespace}} {{.metadata.name}} {{or (index $a "dr.backstay.dev/user-paused") "false"}} {{or (index $a "dr.backstay.dev/held-by") "-"}}
{{end}}{{end}}' | awk 'index($4, $1 "/") == 1 {print $1, $2, $3}'
}

# release does what the operator would have done, if there is none to do it. Whoever paused a Deployment finds it paused.
release() {
  local namespace name user_paused patch
  while read -r namespace name user_paused; do
    say "releasing $namespace/$name: the operator did not"
    patch='{"metadata":{"annotations":{"dr.backstay.dev/held-by":null,"dr.backstay.dev/user-paused":null}}'
    [[ $user_paused == true ]] || patch+=',"spec":{"paused":null}'
    "$kubectl" --namespace "$namespace" patch deployment "$name" --type merge --patch "$patch}"
  done
}

say "removing the admission policies"
"$kubectl" kustomize "$overlay" |
  awk 'BEGIN {RS = "---\n"; ORS = RS} /\nkind: (Mutating|Validating)AdmissionPolicy/ || /^kind: (Mutating|Validating)AdmissionPolicy/' |
  "$kubectl" delete --ignore-not-found -f -

if "$kubectl" get crd drplans.dr.backstay.dev >/dev/null 2>&1; then
  say "removing the plans"
  "$kubectl" delete drplans --all --all-namespaces
fi

say "waiting until nothing is held"
deadline=$((SECONDS + patience))
while rest=$(held) && [[ -n $rest ]]; do
  if ((SECONDS >= deadline)); then
    release <<<"$rest"
    break
  fi
  sleep 1
done

say "removing the operator, its roles and its kinds"
"$kubectl" delete --ignore-not-found -k "$overlay"

if rest=$(held) && [[ -n $rest ]]; then
  release <<<"$rest" # Written while the policies went.
fi
say "Backstay is gone. Its backups are still there: kubectl --namespace velero get backups -l dr.backstay.dev/plan"
