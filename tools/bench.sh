#!/usr/bin/env bash
# Builds the measurements and runs them: all, or the named ones. A measurement is skipped, with a message, if its
# program is missing here.
set -euo pipefail
cd "$(dirname "$0")/.."

# wrk is needed for measurements only, and for three of them, so its absence is no reason to stop.
if ! command -v wrk >/dev/null && command -v apt-get >/dev/null; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    echo "==> installing wrk"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends wrk \
        </dev/null >/dev/null 2>&1 || echo "wrk could not be installed; on Debian: apt-get install wrk"
fi

[ -d end2end/node_modules ] || npm ci --prefix end2end --ignore-scripts --no-audit --no-fund
CHROMIUM=$(tools/find-program.sh chromium || true)
if [ -n "$CHROMIUM" ]; then export CHROMIUM; else unset CHROMIUM; fi

# The measurement of many accounts is a program of its own, because it fills databases and takes long. MEASURE=growth;
# GROWTH_SIZES="1000 100000" for other sizes.
if [ "${MEASURE:-}" = growth ] || [ "${1:-}" = growth ]; then
    tools/python.sh
    postern=$(realpath "${POSTERN_BIN:-${CARGO_TARGET_DIR:-target}/release/postern}")
    exec tools/with-postgres.sh sh -c 'exec end2end/.venv/bin/python bench/growth.py --postern "$1" --postgres "$TEST_POSTGRES_URL" ${GROWTH_SIZES:+--sizes $GROWTH_SIZES}' - "$postern"
fi

# Without it the measurement of logins leaves out one row.
ARGON2_REFERENCE=$(tools/argon2-reference.sh || true)
export ARGON2_REFERENCE

echo "==> the measurements"
tools/release.sh --bin bench
exec "${CARGO_TARGET_DIR:-target}/release/bench" "$@"
