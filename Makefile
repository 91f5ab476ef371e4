# `make run` builds everything and serves http://localhost:3000; `make test` is what CI runs.

.PHONY: run dev build client site docs dist dist-test release toolchain test lint fmt bench fuzz fuzz-properties soak clean
.DEFAULT_GOAL := build

target_dir := $(or $(CARGO_TARGET_DIR),target)
postern := $(target_dir)/release/postern

run: build
	@echo "==> Postern on http://localhost:3000, data in ./data (Ctrl-C ends it)"
	@exec $(postern) serve

# Builds in the dev profile, serves, and does both again after each change.
dev: toolchain tools/node_modules/.package-lock.json
	@tools/dev.sh

build: toolchain tools/node_modules/.package-lock.json
	@tools/build.sh

client:
	@echo "==> the terminal client"
	@tools/release.sh --bin postern-client

site: toolchain tools/node_modules/.package-lock.json
	@echo "==> the browser's files"
	cargo xtask site

# The manual as a folder of pages, with search that needs no server.
docs: build
	@tools/docs.sh

# Everything that is published, in dist/: static programs, packages, image, manual, checksums. docs/releasing.md
dist: toolchain tools/node_modules/.package-lock.json
	@tools/dist.sh

# Installs, upgrades, purges and runs what `make dist` made. Needs root.
dist-test:
	@tools/dist-test.sh

# All checks, then dist/.
release:
	@tools/dist/release.sh

toolchain:
	@tools/check-tools.sh
	@tools/wasm-target.sh

tools/node_modules/.package-lock.json: tools/package-lock.json
	@echo "==> programs from the npm registry"
	npm ci --prefix tools --ignore-scripts --no-audit --no-fund
	@touch $@

test:
	@tools/test.sh

lint: toolchain
	@tools/lint.sh

# Cargo does not find the files of the dashboard's pages, because a macro declares them.
fmt:
	cargo fmt --all -- server/src/http/pages/*.rs

bench: build
	@POSTERN_BIN=$(abspath $(postern)) tools/bench.sh

# Each fuzz target for FUZZ_SECONDS (60) seconds; TARGETS="jwt dpop" runs these alone. docs/testing.md
fuzz:
	@tools/fuzz.sh

# The property tests of `make test`, with a thousand times as many cases. FUZZ_CASES=... for more.
fuzz-properties:
	PROPTEST_CASES=$(or $(FUZZ_CASES),200000) cargo nextest run --workspace --no-fail-fast -E 'test(fuzz) + test(/no_bytes_make_it_panic/) + test(/what_a_client_writes/)'

# The chaos client against the built server, SOAK_SECONDS (600) seconds on each database. docs/testing.md
soak: build
	@POSTERN_BIN=$(abspath $(postern)) tools/soak.sh

clean:
	cargo clean
	rm -rf site dist tools/node_modules end2end/node_modules end2end/.venv end2end/test-results end2end/playwright-report
