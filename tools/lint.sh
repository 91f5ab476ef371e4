#!/usr/bin/env bash
# Checks the format, the lints for the server and for the browser, and packages that the server must not link.
set -euo pipefail
cd "$(dirname "$0")/.."

export STEPS_BEGAN=${STEPS_BEGAN:-$EPOCHSECONDS}
step() { printf '==> [%4s s] %s\n' "$((EPOCHSECONDS - STEPS_BEGAN))" "$*"; }

# The server embeds this folder at compile time; lints need no content in it.
mkdir -p site

step "links of the documentation"
node tools/docs/links.mjs

step "the page on capacity is what the measured figures give"
python3 bench/capacity.py --check

step "bans, licences, sources and advisories of packages"
tools/deny.sh

step "cargo fmt --check"
# The macro that declares the dashboard's pages hides their files from cargo.
cargo fmt --all --check -- server/src/http/pages/*.rs
cargo fmt --manifest-path examples/openid-app/Cargo.toml --check

step "clippy, native"
cargo clippy --workspace --all-targets -- -D warnings

step "modules have no circles, nothing imports upward, no two types share a name"
cargo xtask layers

for bundle in login dashboard private; do
    step "clippy, wasm32, the bundle $bundle"
    cargo clippy --package postern-frontend --lib --target wasm32-unknown-unknown \
        --no-default-features --features "hydrate,$bundle" -- -D warnings
done

step "the server links no examples and no test rigs"
linked=$(cargo tree --package postern-server --edges normal,build --prefix none --format '{p}')
if grep -E '^(hello-app|price-server|postern-(regtest|testkit|demo)) v' <<<"$linked"; then
    echo "these packages belong to crates/demo and to tests; see: cargo tree -p postern-server -e normal,build -i NAME" >&2
    exit 1
fi

step "the server links no rsa"
if grep '^rsa v' <<<"$linked"; then
    echo "the package rsa must stay out of the server; see: cargo tree -p postern-server -e normal,build -i rsa" >&2
    exit 1
fi
