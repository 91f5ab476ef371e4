#!/usr/bin/env bash
# Runs all checks that a commit must pass. The runners' own summaries come last.
set -euo pipefail
cd "$(dirname "$0")/.."

export STEPS_BEGAN=${STEPS_BEGAN:-$EPOCHSECONDS}
step() { printf '==> [%4s s] %s\n' "$((EPOCHSECONDS - STEPS_BEGAN))" "$*"; }

step "system packages"
tools/system-packages.sh

step "toolchain"
tools/check-tools.sh
tools/wasm-target.sh
for manifest in Cargo.toml fuzz/Cargo.toml; do
    cargo metadata --locked --format-version 1 --manifest-path "$manifest" >/dev/null
done

step "lints"
tools/lint.sh

step "the site and the server, as they ship"
make --no-print-directory build

step "the documentation, with its reference from the programs"
tools/docs.sh

step "Rust tests, SQLite and PostgreSQL"
if cargo nextest --version >/dev/null 2>&1; then
    tools/with-postgres.sh cargo nextest run --workspace --no-fail-fast
else
    tools/with-postgres.sh cargo test --workspace --no-fail-fast
fi

step "programs for the browser tests"
npm ci --prefix end2end --ignore-scripts --no-audit --no-fund
tools/python.sh

step "browser tests"
POSTERN_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/release/postern")
# The terminal client's own tests have just built it.
POSTERN_CLIENT_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/postern-client")
# A chain for the page of a paid route, built with the same features as the tests.
cargo build --workspace --bin regtest
REGTEST_BIN=$(realpath "${CARGO_TARGET_DIR:-target}/debug/regtest")
OPENID_APP_BIN=$(tools/openid-app.sh)
CHROMIUM=$(tools/find-program.sh chromium)
MANUAL=$(realpath "${CARGO_TARGET_DIR:-target}/docs/html")
export POSTERN_BIN POSTERN_CLIENT_BIN REGTEST_BIN OPENID_APP_BIN CHROMIUM MANUAL
cd end2end
npx --no-install tsc
exec npx --no-install playwright test
