#!/usr/bin/env bash
# Builds in the dev profile and serves http://localhost:3000, and does both again after each change of a source file.
set -uo pipefail
cd "$(dirname "$0")/.."

sources=(app crates examples frontend public server style Cargo.lock Cargo.toml)
seen=$(mktemp)
server=
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null
        wait "$server" 2>/dev/null
    fi
    server=
}
trap 'stop; rm -f "$seen"' EXIT
trap 'exit 130' INT TERM

while true; do
    touch "$seen"
    began=$EPOCHREALTIME
    if cargo xtask site --dev && cargo build --package postern-server --bin postern; then
        stop
        "${CARGO_TARGET_DIR:-target}/debug/postern" serve &
        server=$!
        echo "==> built in $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }") s: http://localhost:3000 (Ctrl-C ends it)"
    else
        echo "==> the build failed; what ran before still runs"
    fi
    until [ -n "$(find "${sources[@]}" -type f -newer "$seen" -print -quit)" ]; do sleep 0.2; done
done
