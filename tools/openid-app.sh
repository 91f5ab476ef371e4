#!/usr/bin/env bash
# Builds the client of OpenID Connect in examples/openid-app, a workspace of its own, and prints the path of its
# program.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/openid-app
cargo build --quiet --locked --manifest-path examples/openid-app/Cargo.toml --target-dir "$target"
echo "$target/debug/openid-app"
