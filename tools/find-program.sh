#!/usr/bin/env bash
# Prints the path of a program of tools/packages.txt, or fails.
set -euo pipefail

program=$1
found() { [ -n "$1" ] && [ -x "$1" ] && printf '%s\n' "$1" && exit 0; true; }

case $program in
chromium)
    found "${CHROMIUM:-}"
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        found "$(command -v "$name" || true)"
    done
    ;;
initdb | pg_ctl | postgres)
    found "$(command -v "$program" || true)"
    found "$(pg_config --bindir 2>/dev/null || true)/$program"
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV); do
        found "$folder/$program"
    done
    ;;
*)
    found "$(command -v "$program" || true)"
    # On Debian it is in the path of root only.
    found "/usr/sbin/$program"
    ;;
esac
exit 1
