#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Checks what a review should not have to. Runs every check, names those that failed, and exits non-zero if any did. The
# quick ones come first.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tracked and new files alike, so that a check fails before the commit and not after it; without what was deleted.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [[ -e $f ]] && echo "$f"; done; }

headers() {
  local bad=0 file
  while read -r file; do
    if ! head -n 3 "$file" | grep -q 'Copyright 2026 The Backstay Authors\.' ||
      ! head -n 4 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0'; then
      echo "$file: no licence header (see hack/boilerplate.go.txt)"
      bad=1
    fi
  done < <(files '*.go' '*.sh' Makefile Dockerfile .ci/run)
  return $bad
}

links() {
  local pages
  mapfile -t pages < <(files '*.md')
  go run ./hack/check-links "${pages[@]}"
}

modules() { go mod tidy -diff && go mod verify; }

vet() { go vet ./...; }

# Every file that a generator writes, and nothing else.
generated=(api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml config/gate docs/reference docs/conditions.md)

generators() {
  local before status=0
  before=$(mktemp -d)
  tar -cf - "${generated[@]}" 2>/dev/null | tar -xf - -C "$before"
  make --no-print-directory --silent generate manifests || status=1
  local path
  for path in "${generated[@]}"; do
    diff -ruN "$before/$path" "$path" || status=1
  done
  rm -rf "$before"
  ((status == 0)) || echo "generated files were not up to date; they are now: commit them"
  return $status
}

kustomizations() {
  local kubectl dir status=0
  kubectl=${KUBECTL:-$(go run ./test/cluster bin kubectl)} || return 1
  for dir in config/default config/samples config/crd config/gate config/network-policy; do
    "$kubectl" kustomize "$dir" >/dev/null || { echo "$dir does not build"; status=1; }
  done
  return $status
}

# Without shellcheck and pyflakes, which it would call where it finds them, and not elsewhere.
workflows() {
  local actionlint
  actionlint=$(hack/tool.sh actionlint) && "$actionlint" -shellcheck= -pyflakes=
}

pins() { go run ./hack/check-pins Dockerfile .github/workflows/*.yml; }

vulnerabilities() { hack/vulncheck.sh; }

# A check that cannot be made here says so by 75, and why.
failed=()
unchecked=()
check() {
  local status=0
  echo "==> $1"
  "$2" || status=$?
  case $status in
    0) ;;
    75) unchecked+=("$1") ;;
    *) failed+=("$1") ;;
  esac
}

check "licence headers" headers
check "links between pages" links
check "go.mod and go.sum" modules
check "pinned actions and images" pins
check "go vet" vet
check "generated files" generators
check "workflows" workflows
check "kustomizations" kustomizations
check "known vulnerabilities" vulnerabilities

if ((${#failed[@]} > 0)); then
  (IFS=,; echo "verify: failed: ${failed[*]}" >&2)
  exit 1
fi
if ((${#unchecked[@]} > 0)); then
  (IFS=,; echo "verify: passed, but could not check here: ${unchecked[*]}")
  exit 0
fi
echo "verify: all checks passed"
