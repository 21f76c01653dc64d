SHELL := /bin/bash
.DEFAULT_GOAL := help
FUZZTIME ?= 30s
ROWS ?= 1000 10000 100000 1000000 10000000
ROUNDS ?= 3
ONLY ?=
OUT ?=
COUNT ?= 1
CONTAINED := TwoCoordinators|RedisIs|RedisComes|DatabaseIs|RedisCluster|Zombie|Takeover|InContainers
# One way of building for everything but the race detector, the same wherever the checkout is: what one step has compiled the others use.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
LINT := go tool -modfile=tools/go.mod golangci-lint

.PHONY: help demo build test lint fmt fuzz bench microbench load matrix random crash setup images test-containers

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## Import real files with nothing installed, show the errors, try the retry
	@tools/demo.sh

build: ## Build bin/ingest
	@go build -o bin/ingest ./admin/ingest

# SQLite itself, translated from C, is not instrumented: watching it took more than all that it is there to watch around it.
# The black-box tests start processes of the plain binary: the race detector would only slow their oracle down. Many of
# them wait for a lease or a server, hence more at once than there are cores; in the order of their files, in which the longest are not last.
test: setup lint ## Install what is missing, lint, run every test, unit tests with the race detector
	CGO_ENABLED=1 go test -race -gcflags='modernc.org/sqlite/lib=-race=false' -shuffle=on -timeout 10m $$(go list ./worker/... ./... | grep -v '/integration' | awk '!seen[$$0]++') # the longest first
	go test -count 1 -parallel 4 -timeout 20m ./integration/...

lint: ## Check the house rules
	$(LINT) run ./...

fmt: ## Format the code
	$(LINT) fmt ./...

fuzz: ## Fuzz every target for FUZZTIME (30s) each
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:func /:/' | sort | while IFS=: read -r file target; do \
		echo "== $$target in $$(dirname "$$file")"; \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null || exit 1; \
	done

# `make bench ROWS="1000 100000" ROUNDS=1 ONLY=products OUT=/tmp/bench` is a short run with a page of its own. CPU, not waiting, is what is
# measured: nothing else should run.
bench: build setup ## Make docs/benchmarks.md: everything beside psql, pgloader, LOAD DATA and sqlite3 (half an hour to two hours; see CONTRIBUTING.md)
	@tools/peers.sh
	INGEST_TEST_BINARY=$(CURDIR)/bin/ingest go test ./integration/bench -run TestPage -count 1 -timeout 12h -v -args -sizes "$(ROWS)" -rounds $(ROUNDS) -only '$(ONLY)' -out '$(OUT)'

microbench: ## Run every micro-benchmark for a second; with COUNT=10 as benchstat wants them
	go test -run '^$$' -bench . -benchmem -count $(COUNT) $$(go list ./... | grep -v /integration)

load: setup ## The API under load: 200 uploads, 1,000 pollers, a 2 GB upload, and the speed an import keeps (minutes)
	INGEST_TEST_MATRIX=full go test -run 'UploadsAndPollers|BigUpload' -count 1 -parallel 1 -timeout 60m -v ./integration
	go test -run '^$$' -bench ImportUnderLoad -benchtime 1x -timeout 60m ./integration

matrix: setup ## Every combination of workers, chunk sizes and partitions, and memory at 1,000,000 rows (minutes)
	INGEST_TEST_MATRIX=full go test -run 'Machinery|Memory' -count 1 -timeout 60m -v ./integration

random: setup ## All random cases, on MariaDB too (minutes)
	go test -count 1 -timeout 60m -rapid.checks 101 ./shared/destination ./worker/internal/apply

crash: setup ## Processes die at every place every time, databases crash and lose commits, locks last, replies are lost (many minutes)
	INGEST_TEST_MATRIX=full go test -run 'EveryCrashPoint|DieBetween|DieWhile|ZombiesWake|ReplyOfACommit|LateCommit|DeadlocksFail|CrashesAgain|LosesCommits|LocksThatLast|RepliesOfRedis' -count 1 -timeout 120m -v ./integration

setup: ## Install what the tests need: redis-server, PostgreSQL, MariaDB, zsh, fish, a C compiler for the race detector
	@tools/setup.sh

test-containers: images ## The tests of servers that are killed, frozen and lost, with Redis and PostgreSQL in containers
	INGEST_TEST_CONTAINERS=1 go test -count 1 -timeout 15m ./integration/rig
	INGEST_TEST_CONTAINERS=1 go test -count 1 -timeout 15m -run '$(CONTAINED)' ./integration

images: ## Build ingest:local, ingest-redis:local and ingest-postgres:local without a registry
	@tools/images.sh
