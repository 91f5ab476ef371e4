#!/usr/bin/env bash
# Shows that `make client`, `make bench` and the programs of `make test` compile nothing that `make build` compiled:
# builds each of them again and counts the packages that cargo compiles. Run it after `make build`.
set -euo pipefail
cd "$(dirname "$0")/.."

wrong=0
# Counts the packages that cargo compiles; one package of the workspace is allowed once, with its name as the first
# argument.
count() {
    local what=$1 allowed=$2 compiled
    shift 2
    compiled=$("$@" --message-format=json 2>/dev/null | python3 -c '
import json, sys

for line in sys.stdin:
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and not message["fresh"]:
        print(message["target"]["name"], "(" + ",".join(message["target"]["kind"]) + ")")
')
    compiled=$(grep -vE "^($allowed) \(" <<<"$compiled" || true)
    if [ -n "$compiled" ]; then
        wrong=1
        printf '%s compiles %s more:\n%s\n' "$what" "$(wc -l <<<"$compiled")" "$compiled"
    else
        printf '%s compiles nothing more\n' "$what"
    fi
}

count "make build" "none" tools/release.sh --bin postern --bin postern-demo --bin postern-client
count "make client" "none" tools/release.sh --bin postern-client
count "make bench" "bench" tools/release.sh --bin bench
exit "$wrong"
