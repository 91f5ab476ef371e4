#!/usr/bin/env bash
# Makes a release: checks the tree and the list of changes, runs every test, builds dist/, tests it, and builds all of it a
# second time in another folder to compare. MINISIGN_KEY names the secret key that signs; UNSIGNED=yes makes a release
# without a signature, and REPRODUCE=no one that is built once. TESTED names a commit at which `make test` has passed
# already; at that commit it does not run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/dist/version.sh
fail() { printf 'release: %s\n' "$*" >&2; exit 1; }

[ -n "${MINISIGN_KEY:-}" ] || [ "${UNSIGNED:-}" = yes ] || fail "MINISIGN_KEY names no secret key. For a release without a signature, set UNSIGNED=yes"

[ -z "$(git status --porcelain)" ] || fail "the tree has changes that are not committed"
grep -q "^## $VERSION" CHANGELOG.md || fail "CHANGELOG.md has no section '## $VERSION'"
! sed -n "/^## Unreleased/,/^## $VERSION/p" CHANGELOG.md | grep -q '^- ' || fail "CHANGELOG.md has changes under 'Unreleased'"
grep -q "name = \"postern-server\"" Cargo.lock && grep -A1 '^name = "postern-server"' Cargo.lock | grep -q "\"$VERSION\"" || fail "Cargo.lock is of another version"

if [ "${TESTED:-}" = "$(git rev-parse HEAD)" ]; then
    echo "release: 'make test' has passed at $TESTED before"
else
    make --no-print-directory test
fi
make --no-print-directory dist
make --no-print-directory dist-test
[ "${REPRODUCE:-}" = no ] || tools/dist/reproduce.sh
echo "Postern $VERSION is in dist/"
