#!/usr/bin/env bash
# Runs the chaos client against the built server for SOAK_SECONDS (600): on SQLite, and on PostgreSQL where
# TEST_POSTGRES_URL is set. SOAK_SEED repeats the choices of a run.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/python.sh
postern=$(realpath "${POSTERN_BIN:-${CARGO_TARGET_DIR:-target}/release/postern}")
seed=()
[ -z "${SOAK_SEED:-}" ] || seed=(--seed "$SOAK_SEED")
run() { end2end/.venv/bin/python soak/soak.py --postern "$postern" --seconds "${SOAK_SECONDS:-600}" "${seed[@]}" "$@"; }

run
[ -z "${TEST_POSTGRES_URL:-}" ] || PATH="$PATH:$(dirname "$(tools/find-program.sh psql)")" run --postgres "$TEST_POSTGRES_URL"
