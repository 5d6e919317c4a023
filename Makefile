# `make help` lists the targets. `make run` and `make test` do all the set-up they need by themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
# Components that import nothing are built without WASI, some of them in a workspace of their own; each folder of components/ and tests/suites/ is one (kit: what suites share).
APART := $(patsubst components/%/Cargo.toml,%,$(shell grep -l '^own-workspace = true' components/*/Cargo.toml))
PURE := $(filter-out $(APART),$(patsubst components/%/Cargo.toml,%,$(shell grep -l '^pure = true' components/*/Cargo.toml)))
GUESTS := $(filter-out $(PURE) $(APART),$(patsubst components/%/Cargo.toml,%,$(wildcard components/*/Cargo.toml)))
SUITES := $(filter-out kit,$(patsubst tests/suites/%/Cargo.toml,%,$(wildcard tests/suites/*/Cargo.toml)))

HOSTED := $(patsubst tests/hosting/%/Cargo.toml,%,$(wildcard tests/hosting/*/Cargo.toml))

# Places of panics stand in a component. Without these it would be another one in each folder: `make repro` compares (docs/decisions/0051).
PLACES = "--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo", \
  "--remap-path-prefix=$(shell rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$(shell rustc -vV | sed -n 's/^commit-hash: //p')", \
  "--remap-path-prefix=$(CURDIR)=/thumbs"
ANYWHERE = $(foreach target,wasm32-wasip2 wasm32-unknown-unknown,--config 'target.$(target).rustflags=[$(PLACES)]')
COMPONENT = $(CARGO) build --profile component $(ANYWHERE)

FUZZ := $(CURDIR)/fuzz
SECONDS ?= 60
RUNS ?= 200
FAULT_SECONDS ?= 20
STATES ?= 1000000
FAULTS ?= 2
DAYS ?= 20000
RATE ?= 15
MINUTES ?= 60

##@ Everyday
.PHONY: help run run-spin test test-all test-s3 test-faults test-machine test-web test-api build components suites setup fmt lint clean bench bench-store load soak bench-setup spin-test fuzz dist

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build what is missing, then serve on http://127.0.0.1:3000 with embedded storage (stop with Ctrl-C)
	target/release/thumbs up

run-spin: components ## the same on stock Spin, where it is on PATH with a Redis: API and worker as two processes, and a tick
	@./scripts/run-spin

test: components suites ## all tests that this machine can run; says what it skipped for want of a server
	$(CARGO) test --release --workspace
	target/release/thumbs test

test-all: ## all tests; installs the servers that are missing (Debian, Ubuntu) and skips nothing but test-s3
	@./scripts/install-test-servers
	THUMBS_TEST_REQUIRE_SERVERS=1 $(MAKE) test

test-web: build ## the pages in a real Chromium; installs it and the packages of tests/web where they are missing (Debian, Ubuntu)
	@./scripts/install-web-tests
	cd tests/web && node --test

test-api: build ## the API by what it says of itself: schemathesis with all checks, and a typed Python client that is generated; installs both (Python, PyPI)
	@./scripts/install-api-tests
	target/api-tests/venv/bin/python tests/api/run.py

test-faults: build ## the process killed at RUNS=200 random moments under load, on each kind of storage, and each fault of servers, disk and clock for FAULT_SECONDS=20; make test does it shortly (SEED= repeats a run)
	THUMBS_FAULT_RUNS=$(RUNS) THUMBS_FAULT_MS=$(FAULT_SECONDS)000 $(if $(SEED),THUMBS_FAULT_SEED=$(SEED)) \
	  $(CARGO) test --release --workspace --test tests -- kills:: faults:: --nocapture --test-threads 1

test-machine: ## the job machine in every order, STATES=1000000 of each scenario with FAULTS=2 calls of unknown outcome, and DAYS=20000 days of it; make test does both shortly
	THUMBS_MODEL_STATES=$(STATES) THUMBS_MODEL_FAULTS=$(FAULTS) THUMBS_DAYS=$(DAYS) $(if $(SEED),THUMBS_FAULT_SEED=$(SEED)) \
	  $(CARGO) test --release --workspace --test explored --test simulated -- --nocapture --test-threads 1

test-s3: setup ## the blob and S3 tests also against versitygw, an independent S3 server; builds it where it is missing (Go, some minutes)
	@./scripts/install-versitygw
	$(COMPONENT) --target wasm32-wasip2 --package thumbs-blob-store
	THUMBS_TEST_REQUIRE_SERVERS=1 $(CARGO) test --release --workspace --test tests -- --include-ignored \
	  blob_contract:: blob_s3:: blob_no_s3:: blob_tls:: servers::s3:: servers::versitygw::

# With the features that the whole workspace asks for, as the tests have them: thumbs alone asks for others of Wasmtime's dependencies, and all of
# Wasmtime would be compiled once for `make run` and once for `make test`. Its own test kits are then in the library; the binary uses none.
build: components ## the host binary (target/release/thumbs) and every component where spin.toml says
	$(CARGO) build --release --workspace --bin thumbs

dist: build ## target/dist/thumbs, one file that carries the application: copy it to a machine and run `thumbs up`; SHA256SUMS beside it, signed where SIGN_KEY names an SSH key
	@rm -rf target/dist && mkdir -p target/dist
	target/release/thumbs bundle target/dist/thumbs
	@./scripts/checksums

# The last one is not shipped: tests ask it what vectors give in the sandbox.
components: setup ## the .wasm files
	$(COMPONENT) --target wasm32-wasip2 $(addprefix --package thumbs-,$(GUESTS))
	$(COMPONENT) --target wasm32-unknown-unknown $(addprefix --package thumbs-,$(PURE))
	$(foreach name,$(APART),$(COMPONENT) --target wasm32-unknown-unknown --target-dir target --manifest-path components/$(name)/Cargo.toml &&) true
	$(COMPONENT) --target wasm32-unknown-unknown --package thumbs-lanes --example transcript

suites: setup ## the .wasm files that only tests run: suites, and another application (tests/hosting)
	$(COMPONENT) --target wasm32-wasip2 $(addprefix --package thumbs-spin-test-,$(SUITES)) $(addprefix --package thumbs-hosted-,$(HOSTED))

spin-test: components suites ## run the suites with the real spin test, where it is on PATH (make test runs them anyway)
	@./scripts/spin-test

setup: ## check the machine; add the wasm targets where they are missing
	@./scripts/setup

fmt: ## format
	$(CARGO) fmt --all

lint: ## formatting and clippy, warnings are errors; the fuzz targets, a workspace of their own, still compile
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	$(CARGO) check --workspace --manifest-path $(FUZZ)/Cargo.toml
	$(foreach name,$(APART),$(CARGO) clippy --profile component --target wasm32-unknown-unknown --target-dir target --manifest-path components/$(name)/Cargo.toml -- -D warnings &&) true

##@ Measuring
bench: components ## one table: ms per image in the sandbox, natively, in libvips and in Pillow (ONLY=name or class)
	$(CARGO) build --release --workspace --bin thumbs-bench
	target/release/thumbs-bench $(if $(ONLY),"$(ONLY)")

bench-store: ## the job store in PostgreSQL with a thousand rows and with a million
	@./scripts/install-test-servers
	$(CARGO) build --release --workspace --bin thumbs-bench-store
	target/release/thumbs-bench-store

load: build ## what clients see at 50, 80, 120 and 200 % of what the service can do, and of three keys beside one that floods it (5 minutes)
	$(CARGO) build --release --workspace --bin thumbs-load
	target/release/thumbs-load

soak: build ## whether memory, descriptors, threads, disk or rows grow under RATE=15 jobs a second for MINUTES=60 (Linux, Python)
	bench/soak.py target/release/thumbs --from spin.toml --minutes $(MINUTES) --rate $(RATE)

bench-setup: ## install the peers that bench compares with, and photos (Debian, Ubuntu)
	@./scripts/bench-setup

##@ Fuzzing
FUZZED := jpeg png gif webp heif inflate deflate jpeg_encode webp_encode animation form post get options headers s3 resp postgres manifest
fuzz: ## look for inputs that break what reads others' bytes, SECONDS=60 for each of TARGET="jpeg ... form post ... resp ..." (docs/DEVELOPMENT.md)
	./scripts/fuzz $(SECONDS) $(or $(TARGET),$(FUZZED))

##@ What it is made of
.PHONY: repro sbom audit
repro: setup ## builds the components of HEAD twice, in two folders, compares them byte by byte, and prints their digests
	@./scripts/repro

sbom: ## target/dist/thumbs.cdx.json, all crates of what ships (CycloneDX), from the lock file; needs Python 3.11
	@mkdir -p target/dist
	@./scripts/sbom target/dist/thumbs.cdx.json
	@[ ! -e target/dist/SHA256SUMS ] || ./scripts/checksums

audit: ## advisories, licences and sources of all crates, by cargo-deny (deny.toml); installs it if it is missing
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check

##@ Deployment
.PHONY: check-deploy k8s-setup k8s-build k8s-load k8s-deploy k8s-all k8s-test k8s-logs k8s-clean
k8s-all: ## a Kind cluster with Thumbs on it (HOST=spinkube, or runtime), and a thumbnail from it; needs docker, kind, kubectl, helm
	@./scripts/k8s all

k8s-setup: ## the cluster, with the Spin shim, a registry, cert-manager, spin-operator, metrics-server
	@./scripts/k8s setup

k8s-build: ## the image or the artifact
	@./scripts/k8s build

k8s-load: ## into the cluster with it
	@./scripts/k8s load

k8s-deploy: ## install the chart, or upgrade it
	@./scripts/k8s deploy

k8s-test: ## a smoke test through http://localhost:30000
	@./scripts/k8s test

k8s-logs: ## pods, events, logs, and what the shim said in the node's journal
	@./scripts/k8s logs

k8s-clean: ## delete the cluster with all its data
	@./scripts/k8s clean

check-deploy: ## the chart, the scripts and the container files, without a cluster (BLESS=1 first brings the chart up to spin.toml)
	@./scripts/check-deploy

##@ Cleaning
clean: ## remove what was built
	$(CARGO) clean
	$(CARGO) clean --manifest-path $(FUZZ)/Cargo.toml
