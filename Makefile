# `make help` lists the targets. `make run` and `make test` do all the set-up they need by themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help

CARGO ?= cargo
GUESTS := upload status download resize blob-store
WASM := target/wasm32-wasip2/component
PURE := target/wasm32-unknown-unknown/component

##@ Everyday
.PHONY: help run test build components setup fmt lint clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build what is missing, then serve on http://127.0.0.1:3000 with embedded storage (stop with Ctrl-C)
	target/release/thumbs up

test: components ## all tests: unit, imaging natively and as wasm, end to end over HTTP
	$(CARGO) test --release --workspace

build: components ## the host binary (target/release/thumbs) and every component where spin.toml says
	$(CARGO) build --release --package thumbs

components: setup ## the .wasm files
	$(CARGO) build --profile component --target wasm32-wasip2 $(addprefix --package thumbs-,$(GUESTS))
	$(CARGO) build --profile component --target wasm32-unknown-unknown --package thumbs-imaging

setup: ## check the machine; add the wasm targets where they are missing
	@./scripts/setup

fmt: ## format
	$(CARGO) fmt --all

lint: ## formatting and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

clean: ## remove what was built
	$(CARGO) clean
