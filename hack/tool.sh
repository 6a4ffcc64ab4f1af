#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Prints the path of a developer tool, after building it from its pinned module if that was not done before:
#
#   hack/tool.sh actionlint|controller-gen|crd-ref-docs|cyclonedx-gomod|golangci-lint|gotestsum|govulncheck
#
# A tool is kept by the content of its module, in the folder where the programs of the development cluster are kept too:
# a second checkout finds it there, and another version lands elsewhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "hack/tool.sh: $*" >&2; exit 1; }

name=${1:-}
case "$name" in
  actionlint) module=dev package=github.com/rhysd/actionlint/cmd/actionlint ;;
  controller-gen) module=dev package=sigs.k8s.io/controller-tools/cmd/controller-gen ;;
  cyclonedx-gomod) module=supply package=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod ;;
  govulncheck) module=supply package=golang.org/x/vuln/cmd/govulncheck ;;
  crd-ref-docs) module=dev package=github.com/elastic/crd-ref-docs ;;
  gotestsum) module=dev package=gotest.tools/gotestsum ;;
  golangci-lint) module=lint package=sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter ;;
  *) fail "no such tool: '$name'" ;;
esac

# What nobody debugs needs no DWARF; the cluster's programs are built by the same flags and share packages with these.
flags=(-trimpath -buildvcs=false -gcflags=all=-dwarf=false "-ldflags=-s -w")
dir=hack/tools/$module
platform=$(cd "$dir" && go env GOVERSION GOOS GOARCH) || fail "go does not work in $dir: is Go installed, and new enough?"
key=$(cat "$dir/go.mod" "$dir/go.sum" <(echo "$package ${flags[*]} $platform") | git hash-object --stdin | cut -c1-16)
path=${BACKSTAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/backstay}/tools/$name/$key/$name

if [[ ! -x $path ]]; then
  echo "building $name (once for this version) ..." >&2
  mkdir -p "$(dirname "$path")"
  new=$(mktemp -d "$(dirname "$path")/.new-XXXXXX")
  trap 'rm -rf "$new"' EXIT
  (cd "$dir" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build "${flags[@]}" -o "$new/$name" "$package") >&2 ||
    fail "$name did not build"
  mv "$new/$name" "$path" # Atomic: whoever builds it at the same time gets the same result.
fi
echo "$path"
