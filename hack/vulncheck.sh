#!/usr/bin/env bash
# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# Looks for known vulnerabilities that the code can reach. It needs the database of the Go project, or another one that GOVULNDB
# names (file:///... for a copy). Exits with 75 where there is none: then nothing was checked, which is no finding.
# VULNCHECK=required makes that a failure too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unchecked() {
  echo "not checked for known vulnerabilities: $*"
  if [[ ${VULNCHECK:-} == required ]]; then exit 1; fi
  exit 75
}

db=${GOVULNDB:-https://vuln.go.dev}
if [[ $db != file://* ]]; then
  command -v curl >/dev/null || unchecked "curl is not installed, and the database at $db may be out of reach"
  message=$(curl -fsS --max-time 10 -o /dev/null "$db/index/db.json" 2>&1) || unchecked "no database at $db (${message//$'\n'/ })"
fi

govulncheck=$(hack/tool.sh govulncheck)
"$govulncheck" -db "$db" ./...
