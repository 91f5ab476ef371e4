#!/usr/bin/env bash
# Builds the release once more, in another folder with another target folder, and compares it with dist/ byte by byte.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/dist/version.sh

dist=$(realpath "${DIST:-dist}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet --no-hardlinks . "$work/another/folder"
cd "$work/another/folder"
npm ci --prefix tools --ignore-scripts --no-audit --no-fund --silent
unset POSTERN_BIN POSTERN_CLIENT_BIN MINISIGN_KEY
CARGO_TARGET_DIR=$work/target DIST=$work/dist tools/dist.sh
diff "$dist/SHA256SUMS" "$work/dist/SHA256SUMS" || { echo "two builds of $VERSION differ" >&2; exit 1; }
echo "Two builds of $VERSION in two folders are equal"
