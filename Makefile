# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

SHELL := /usr/bin/env bash -o pipefail -e
.DEFAULT_GOAL := help

# One set of flags for the operator, the tests and the linters, so that they share one build cache.
# Static: the same binary runs in the image, on the development cluster and on a laptop.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
IMG ?= backstay:$(VERSION)
# The one in the PATH, else the one of the development cluster, which is built then.
KUBECTL ?= $(or $(shell command -v kubectl),$(shell CGO_ENABLED=$(CGO_ENABLED) GOFLAGS="$(GOFLAGS)" go run ./test/cluster bin kubectl))
CONTAINER_ENGINE ?= docker

TOOL = $$(hack/tool.sh $(1))

##@ See it

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: go ## Start a cluster and watch a rollout wait for its backup.
	@echo "Compiling the demo; the first time takes a minute or two on two cores, and the cluster's programs some ten more."
	go run ./test/demo

.PHONY: demo-down
demo-down: go ## Stop what the demo started.
	go run ./test/demo down

##@ Test

.PHONY: test
test: go ## Run the unit, integration and end-to-end tests, with one summary.
	hack/test.sh unit integration e2e

.PHONY: test-unit
test-unit: go ## Run the tests that need nothing but Go.
	hack/test.sh unit

.PHONY: test-integration
test-integration: go ## Run the tests against a real API server.
	hack/test.sh integration

.PHONY: test-e2e
test-e2e: go ## Run the tests on the development cluster, with a real Velero.
	hack/test.sh e2e

.PHONY: test-race
test-race: go ## Run the unit tests with the race detector (needs a C compiler).
	CGO_ENABLED=1 go test -race ./api/... ./cmd/... ./controllers/... ./internal/...

.PHONY: bench
bench: go ## Measure what the operator costs, beside this machine's own baseline.
	go run ./test/bench

##@ Develop

.PHONY: build
build: go ## Build the operator: bin/backstay.
	go build -ldflags "-s -w -X main.version=$(VERSION)" -o bin/backstay ./cmd/backstay

.PHONY: fmt
fmt: go ## Format the code.
	$(call TOOL,golangci-lint) fmt

.PHONY: lint
lint: go ## Lint the code, the API by the Kubernetes conventions, and the direction of imports.
	$(call TOOL,golangci-lint) run

.PHONY: generate
generate: go ## Generate code: the deep copies of the API types.
	$(call TOOL,controller-gen) object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: go ## Generate manifests: CRDs, RBAC, admission policies. And the reference pages.
	$(call TOOL,controller-gen) crd paths=./api/... output:crd:dir=config/crd/bases
	$(call TOOL,controller-gen) rbac:roleName=backstay-manager paths=./controllers/... paths=./internal/workload/... output:rbac:dir=config/rbac
	go run ./hack/gen-gate config/gate
	$(call TOOL,crd-ref-docs) --log-level=ERROR --source-path=api --config=hack/crd-ref-docs/config.yaml \
	  --templates-dir=hack/crd-ref-docs/templates --renderer=markdown --output-path=docs/reference/api.md
	go run ./hack/gen-conditions api/v1alpha1 > docs/conditions.md

.PHONY: verify
verify: go ## Check what a review should not have to: generated files, modules, links, headers, pins, vulnerabilities.
	hack/verify.sh

.PHONY: vulncheck
vulncheck: go ## Look for known vulnerabilities that the code can reach (needs the database, or GOVULNDB).
	hack/vulncheck.sh

.PHONY: sbom
sbom: build ## List what the operator is made of: dist/backstay.cdx.json.
	@mkdir -p dist
	$(call TOOL,cyclonedx-gomod) bin -json -std -version $(VERSION) -output dist/backstay.cdx.json bin/backstay

.PHONY: clean
clean: ## Remove what was built here. Programs in the shared cache stay.
	rm -rf bin dist

##@ Install

.PHONY: docker-build
docker-build: ## Build the image IMG (needs a container engine: CONTAINER_ENGINE=docker).
	$(CONTAINER_ENGINE) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: install
install: go ## Install the CRDs only.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: go ## Remove the CRDs, and with them every plan and release.
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: go ## Install everything, with the image IMG, into the cluster of the current kubeconfig.
	@kubectl="$(KUBECTL)"; "$$kubectl" kustomize config/default | sed 's#image: backstay:latest#image: $(IMG)#' | \
	  "$$kubectl" apply --server-side -f -

.PHONY: install-manifest
install-manifest: go ## Write what deploy installs to dist/install.yaml.
	@mkdir -p dist
	@kubectl="$(KUBECTL)"; "$$kubectl" kustomize config/default | sed 's#image: backstay:latest#image: $(IMG)#' >dist/install.yaml

.PHONY: undeploy
undeploy: go ## Release what is held, then remove everything.
	@KUBECTL="$(KUBECTL)" hack/undeploy.sh

# For scripts that call go themselves: eval "$(make flags)".
.PHONY: flags
flags:
	@echo "export CGO_ENABLED='$(CGO_ENABLED)' GOFLAGS='$(GOFLAGS)'"

# Says in one line what is missing, before anything else fails in many.
.PHONY: go
go:
	@hack/check-go.sh
