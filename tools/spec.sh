#!/usr/bin/env bash
# Runs browser specs by name on the programs of `make build`: tools/spec.sh login.spec.ts
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || { echo "usage: tools/spec.sh NAME.spec.ts ..." >&2; exit 2; }
target=${CARGO_TARGET_DIR:-target}
POSTERN_BIN=${POSTERN_BIN:-$(realpath "$target/release/postern")}
[ -x "$POSTERN_BIN" ] || { echo "run 'make build' first" >&2; exit 1; }

cargo build --quiet --workspace --bin postern-client --bin regtest
POSTERN_CLIENT_BIN=$(realpath "$target/debug/postern-client")
REGTEST_BIN=$(realpath "$target/debug/regtest")
CHROMIUM=$(tools/find-program.sh chromium)
OPENID_APP_BIN=$(tools/openid-app.sh)
# Of `make docs`.
MANUAL=$(realpath -m "${CARGO_TARGET_DIR:-target}/docs/html")
export POSTERN_BIN POSTERN_CLIENT_BIN REGTEST_BIN OPENID_APP_BIN CHROMIUM MANUAL

[ -d end2end/node_modules ] || npm ci --prefix end2end --ignore-scripts --no-audit --no-fund
tools/python.sh
cd end2end
exec npx --no-install playwright test "$@"
