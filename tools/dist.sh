#!/usr/bin/env bash
# Makes everything that a release consists of, in dist/: static programs, Debian packages, container image, manual, list of
# components, checksums, and a signature if MINISIGN_KEY names a secret key.
#
# POSTERN_BIN and POSTERN_CLIENT_BIN name programs that were compiled already; otherwise static ones are compiled.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/dist/version.sh
. tools/dist/tar.sh

step() { printf '==> [%4s s] %s\n' "$SECONDS" "$*"; }
out=$(realpath -m "${DIST:-dist}")
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools/system-packages.sh tools/dist/packages.txt

if [ -z "${POSTERN_BIN:-}" ]; then
    step "the browser's files"
    cargo xtask site
    step "the static programs"
    built=$(tools/dist/build.sh)
    POSTERN_BIN=$built/postern POSTERN_CLIENT_BIN=$built/postern-client
fi
export POSTERN_BIN POSTERN_CLIENT_BIN

step "version $VERSION ${BUILD_COMMIT:-without a commit}, $BUILD_DATE"
rm -rf "$out"
mkdir -p "$out"
staged=$target/staged/postern-$VERSION
tools/dist/stage.sh "$staged" "$POSTERN_BIN" "$POSTERN_CLIENT_BIN"
node tools/dist/sbom.mjs "$VERSION" > "$staged/doc/sbom.cdx.json"

step "archive of the programs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
archive "$work/programs.tar" --directory "$(dirname "$staged")" "$(basename "$staged")"
gzip -9nc "$work/programs.tar" > "$out/postern-$VERSION-x86_64-linux.tar.gz"

step "Debian packages"
tools/dist/deb.sh "$staged" "$VERSION" "$out"

step "container image"
node tools/dist/oci.mjs "$staged" "$VERSION" "$out"

step "manual"
tools/docs.sh
archive "$work/manual.tar" --directory "$target/docs" --transform "s#^html#postern-$VERSION-manual#" html
gzip -9nc "$work/manual.tar" > "$out/postern-$VERSION-manual.tar.gz"

step "list of components, checksums"
install -m 644 "$staged/doc/sbom.cdx.json" "$out/postern-$VERSION.cdx.json"
(cd "$out" && sha256sum -- * > SHA256SUMS)
if [ -n "${MINISIGN_KEY:-}" ]; then
    minisign -S -s "$MINISIGN_KEY" -t "Postern $VERSION" -m "$out/SHA256SUMS"
else
    echo "not signed: MINISIGN_KEY names no secret key"
fi
step "done"
ls -l "$out"
