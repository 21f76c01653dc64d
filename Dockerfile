# The image of every role: one static binary, nothing else. Two ways to it:
#   docker build -t ingest:local .     compiles in a Go image
#   make images                        compiles on this machine, uses the second stage only, and needs no registry

ARG GO_IMAGE=golang:1.26-alpine
FROM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /ingest ./admin/ingest && mkdir /data

FROM scratch
# configs/ingest.yaml and configs/importers are looked for in /configs, files that importers name in /files: mount them.
WORKDIR /
COPY --from=build --chown=65532:65532 /data /data
COPY --from=build /ingest /ingest
# Nobody in particular: it owns /data, the spool, and nothing else. The root file system can be read-only.
USER 65532:65532
ENV INGEST_DATA_DIR=/data INGEST_ROOTS=/files INGEST_INTERNAL_LISTEN=127.0.0.1:9090
# Only server roles listen; a command that ends by itself has no health.
HEALTHCHECK --interval=5s --timeout=6s --start-period=20s --retries=3 CMD ["/ingest", "health", "--quiet"]
ENTRYPOINT ["/ingest"]
