#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Says in one line that Go is missing or too old.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

needed=$(awk '$1 == "go" {print $2}' go.mod)
if ! command -v go >/dev/null; then
  echo "Go is not installed: Backstay needs Go $needed or newer (https://go.dev/dl/)" >&2
  exit 1
fi
if ! message=$(go list -m 2>&1); then
  echo "Go does not work here: Backstay needs Go $needed or newer: ${message//$'\n'/ }" >&2
  exit 1
fi
