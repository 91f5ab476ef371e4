#!/usr/bin/env bash
# Runs the chaos client on the built server for SOAK_SECONDS (600): on SQLite, and on PostgreSQL if TEST_POSTGRES_URL is
# set. SOAK_SEED repeats the choices of a run.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/python.sh
postern=$(realpath "${POSTERN_BIN:-${CARGO_TARGET_DIR:-target}/release/postern}")
client=$(realpath "${POSTERN_CLIENT_BIN:-$(dirname "$postern")/postern-client}")
pay=()
if command -v monerod >/dev/null && command -v monero-wallet-rpc >/dev/null; then
    # A private Monero network, built with the same features as the tests.
    [ -n "${REGTEST_BIN:-}" ] || cargo build --quiet --workspace --bin regtest
    pay=(--regtest "$(realpath "${REGTEST_BIN:-${CARGO_TARGET_DIR:-target}/debug/regtest}")")
else
    echo "Nobody pays: install monerod and monero-wallet-rpc (Debian: apt-get install monero)."
fi
seed=()
[ -z "${SOAK_SEED:-}" ] || seed=(--seed "$SOAK_SEED")
run() { end2end/.venv/bin/python soak/soak.py --postern "$postern" --client "$client" "${pay[@]}" --seconds "${SOAK_SECONDS:-600}" "${seed[@]}" "$@"; }

run
[ -z "${TEST_POSTGRES_URL:-}" ] || PATH="$PATH:$(dirname "$(tools/find-program.sh psql)")" run --postgres "$TEST_POSTGRES_URL"

# Three nodes behind HAProxy, with faults in random order. See docs/testing.md.
if command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ]; then
    PATH="$PATH:$(dirname "$(tools/find-program.sh initdb)")"
    for rig in "" --pooler --patroni; do
        end2end/.venv/bin/python soak/nodes.py --postern "$postern" --seconds "${SOAK_SECONDS:-600}" "${seed[@]}" $rig
    done
else
    echo "The nodes were left out: install haproxy (Debian: apt-get install haproxy)."
fi
