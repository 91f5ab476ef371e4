#!/usr/bin/env bash
# Builds the documentation into the target folder: pages from docs/, and the reference from the built programs.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export POSTERN_BIN=${POSTERN_BIN:-$target/release/postern}
export POSTERN_CLIENT_BIN=${POSTERN_CLIENT_BIN:-$target/release/postern-client}
for program in "$POSTERN_BIN" "$POSTERN_CLIENT_BIN"; do
    [ -x "$program" ] || { echo "$program is missing: run 'make build' first" >&2; exit 1; }
done

book=$target/docs
mdbook=$(tools/mdbook.sh)
node tools/docs/stage.mjs "$book"
node tools/docs/reference.mjs "$book/src/reference"
node tools/docs/links.mjs "$book/src"
"$mdbook" build "$book"
# A page must not load anything from other servers.
if grep -rEl --include='*.html' '<(script|link|img)[^>]+(src|href)="(https?:)?//' "$book/html"; then
    echo "these pages load files from other servers" >&2
    exit 1
fi
echo "The documentation is in $book/html/index.html"
