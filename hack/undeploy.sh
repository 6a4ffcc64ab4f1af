#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Removes Backstay from the cluster of the current kubeconfig, and leaves nothing held:
#
#   1. the admission policies, so that nothing new is held
#   2. the plans, so that the operator releases what is held
#   3. when nothing is held any more, everything else
#   4. what is left of its annotations on workloads
#
# Backups stay: they are Velero's. KUBECTL names the kubectl to use, OVERLAY another kustomization than config/default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kubectl=${KUBECTL:-kubectl}
overlay=${OVERLAY:-config/default}
patience=${PATIENCE:-60} # seconds that the operator is given to release what is held

say() { echo "==> $*"; }

# kinds are the kinds of workload that can be held, each with the condition of a go-template under which its controller starts
# nothing new, the annotation that records what its user wants of the field that holds, and its revisions.
kinds=(
  'deployments|.spec.paused|user-paused|replicasets'
  'statefulsets|(and .spec.updateStrategy.rollingUpdate (eq (print .spec.updateStrategy.rollingUpdate.partition) "2147483647"))|partition|controllerrevisions'
)

# unhold prints the patch of the spec that takes a hold off a kind of workload whose user wants this of the field that holds. Whoever
# paused a workload finds it paused.
unhold() {
  case $1/$2 in
  deployments/true | statefulsets/2147483647) ;;
  deployments/*) echo '{"paused":null}' ;;
  statefulsets/none) echo '{"updateStrategy":{"rollingUpdate":null}}' ;;
  statefulsets/*[!0-9]*) echo '{"updateStrategy":{"rollingUpdate":{"partition":0}}}' ;;
  statefulsets/*) echo '{"updateStrategy":{"rollingUpdate":{"partition":'"$2"'}}}' ;;
  esac
}

# held prints "namespace resource name annotation wish" of each workload that is held: its field holds, and a plan of its own
# namespace marked it. A mark that a restore brought along from another namespace is nobody's hold.
held() {
  local kind resource holding wish
  for kind in "${kinds[@]}"; do
    IFS='|' read -r resource holding wish _ <<<"$kind"
    "$kubectl" get "$resource" --all-namespaces -o go-template='{{range .items}}{{$a := .metadata.annotations}}{{if and $a '"$holding"'}}{{.metadata.namespace}} {{.metadata.name}} {{or (index $a "dr.backstay.dev/held-by") "-"}} {{or (index $a "dr.backstay.dev/'"$wish"'") "-"}}
{{end}}{{end}}' | awk -v resource="$resource" -v wish="$wish" 'index($3, $1 "/") == 1 {print $1, resource, $2, wish, $4}' || return
  done
}

# release does what the operator would have done, if there is none to do it.
release() {
  local namespace resource name annotation wish patch spec
  while read -r namespace resource name annotation wish; do
    say "releasing $namespace/$name: the operator did not"
    patch='{"metadata":{"annotations":{"dr.backstay.dev/held-by":null,"dr.backstay.dev/'"$annotation"'":null,"dr.backstay.dev/held-reason":null}}'
    spec=$(unhold "$resource" "$wish")
    [[ -z $spec ]] || patch+=",\"spec\":$spec"
    "$kubectl" --namespace "$namespace" patch "$resource" "$name" --type merge --patch "$patch}"
  done
}

# unmark takes what is left of our annotations off the objects of a resource: of revisions too, to which a controller copies those
# of its workload, and from which `kubectl rollout undo` would bring them back.
unmark() {
  local resource=$1 namespace name keys
  "$kubectl" get "$resource" --all-namespaces -o go-template='{{range .items}}{{$o := .metadata}}{{range $key, $value := .metadata.annotations}}{{if eq (printf "%.16s" $key) "dr.backstay.dev/"}}{{$o.namespace}} {{$o.name}} {{$key}}
{{end}}{{end}}{{end}}' | awk '{of = $1 " " $2; keys[of] = keys[of] (keys[of] ? "," : "") "\"" $3 "\":null"} END {for (of in keys) print of, keys[of]}' |
    while read -r namespace name keys; do
      "$kubectl" --namespace "$namespace" patch "$resource" "$name" --type merge --patch "{\"metadata\":{\"annotations\":{$keys}}}" ||
        ! "$kubectl" --namespace "$namespace" get "$resource" "$name" >/dev/null 2>&1 # It may have gone meanwhile.
    done
}

# A cluster before Kubernetes 1.36 does not serve all of these kinds.
say "removing the admission policies"
served=$("$kubectl" api-resources --api-group=admissionregistration.k8s.io -o name) ||
  [[ -n $served ]] # It fails for any aggregated API that is down, and still lists the others.
for kind in mutatingadmissionpolicybindings mutatingadmissionpolicies validatingadmissionpolicybindings validatingadmissionpolicies; do
  if grep -q "^$kind\." <<<"$served"; then
    "$kubectl" delete "$kind" --ignore-not-found -l app.kubernetes.io/name=backstay,app.kubernetes.io/component=gate
  fi
done

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
"$kubectl" kustomize "$overlay" |
  awk 'BEGIN {RS = "---\n"; ORS = RS} !/(^|\n)kind: (Mutating|Validating)AdmissionPolicy/' |
  "$kubectl" delete --ignore-not-found -f -

if rest=$(held) && [[ -n $rest ]]; then
  release <<<"$rest" # Written while the policies went.
fi
for kind in "${kinds[@]}"; do
  IFS='|' read -r resource _ _ revisions <<<"$kind"
  unmark "$resource"
  unmark "$revisions"
done
say "Backstay is gone. Its backups are still there: kubectl --namespace velero get backups -l dr.backstay.dev/plan"
