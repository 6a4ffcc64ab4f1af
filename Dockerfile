# Copyright 2026 The Backstay Authors.
# SPDX-License-Identifier: Apache-2.0

# The operator and nothing else: no shell, no package, no root.

FROM --platform=$BUILDPLATFORM golang:1.26-trixie@sha256:4ee9ffa999b4583ce281939cdff828763083610292f252279a0cee77473bd9a7 AS build
ARG TARGETOS TARGETARCH
ARG VERSION=unknown
WORKDIR /src
# The modules change less often than the code: a layer of their own.
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY controllers controllers
COPY internal internal
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /backstay ./cmd/backstay

FROM scratch
COPY --from=build /backstay /backstay
USER 65532:65532
ENTRYPOINT ["/backstay"]
