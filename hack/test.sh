#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Runs test suites one after another, shows the output of what fails, and ends with one line that counts the tests:
#
#   hack/test.sh unit|integration|e2e ...
#
# The programs that a suite needs are built in the background while the suites before it run: integration waits for the
# API server only, e2e for all of the cluster. TESTFLAGS is passed to go test, for example TESTFLAGS='-run TestHold'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
builder=
cleanup() {
  if [[ -n $builder ]]; then
    kill -- "-$builder" 2>/dev/null || true # The whole group: go and its compilers too.
    wait "$builder" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo "==> $*"; }

# Every package belongs to exactly one suite: what neither needs an API server nor a cluster is a unit test.
integration='/test/integration(/|$)'
e2e='/test/(e2e|demo|bench|cluster/clustertest)(/|$)'

packages() {
  local all
  all=$(go list ./...)
  case "$1" in
    unit) grep -vE "$integration|$e2e" <<<"$all" ;;
    integration) grep -E "$integration" <<<"$all" ;;
    e2e) grep -E "$e2e" <<<"$all" ;;
    *) echo "hack/test.sh: no such suite: $1" >&2; return 2 ;;
  esac
}

# build starts the builds that the suites need, in a process group of its own.
build() {
  local steps='go run ./test/cluster assets >"$0/assets.path" && mv "$0/assets.path" "$0/assets"'
  if [[ " $* " == *" e2e "* ]]; then
    steps+=' && go run ./test/cluster build && touch "$0/programs"'
  fi
  set -m
  bash -c "$steps" "$work" >"$work/build.log" 2>&1 </dev/null &
  builder=$!
  set +m
}

# await waits until the background build has left a file, and tells meanwhile how far it is.
await() {
  local file=$1 what=$2 next=$((SECONDS + 3)) progress
  while [[ ! -e $work/$file ]]; do
    if ! kill -0 "$builder" 2>/dev/null && [[ ! -e $work/$file ]]; then
      tail -n 20 "$work/build.log" >&2
      echo "hack/test.sh: $what could not be built" >&2
      return 1
    fi
    if ((SECONDS >= next)); then
      progress=$(tail -n 1 "$work/build.log")
      say "waiting for $what, built once for this version: ${progress:-the build begins}"
      next=$((SECONDS + 15))
    fi
    sleep 0.2
  done
}

run() {
  local suite=$1 timeout=$2 list
  shift 2
  list=$(packages "$suite")
  say "$suite tests"
  # shellcheck disable=SC2086 # TESTFLAGS holds several words.
  "$gotestsum" --format "${TESTFORMAT:-pkgname}" --format-hide-empty-pkg --hide-summary skipped \
    --jsonfile "$work/$suite.json" -- -timeout "$timeout" "$@" ${TESTFLAGS:-} $list
}

suite() {
  case "$1" in
    unit) run unit 10m ;;
    integration)
      await assets "the API server" || return 1
      KUBEBUILDER_ASSETS=$(<"$work/assets") run integration 15m
      ;;
    e2e)
      await programs "the development cluster" || return 1
      # One package at a time: each has a cluster of its own.
      TESTFORMAT=testname KUBEBUILDER_ASSETS=$(<"$work/assets") run e2e 40m -p 1
      ;;
    *) run "$1" 1m ;;
  esac
}

(($# > 0)) || { echo "usage: hack/test.sh unit|integration|e2e ..." >&2; exit 2; }
for name; do packages "$name" >/dev/null || exit 1; done
if [[ " $* " == *" integration "* || " $* " == *" e2e "* ]]; then build "$@"; fi
gotestsum=$(hack/tool.sh gotestsum)
go build -o "$work/count-tests" ./hack/count-tests

files=()
for name; do
  files+=("$work/$name.json")
  suite "$name" || true # Counted below: a failing suite does not keep the next from telling what else fails.
done
say "summary"
"$work/count-tests" "${files[@]}" # Prints the summary as the last line.
