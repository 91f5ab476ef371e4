#!/usr/bin/env bash
# Checks the files of `make dist`: archives, static programs, Debian packages, container image, checksums and signature.
#
# `--short` makes packages from the built release programs first, and leaves out what needs static programs or another
# Debian. It needs root, like the full test: both change the root folder of a process.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/dist/version.sh

short=
[ "${1:-}" != --short ] || short=yes
step() { printf '==> [%4s s] %s\n' "$SECONDS" "$*"; }
fail() { printf 'dist-test: %s\n' "$*" >&2; exit 1; }
check() { "${@:2}" >"$work/check" 2>&1 || { cat "$work/check" >&2; fail "$1"; }; }

[ "$(id -u)" = 0 ] || fail "run this as root, in a container or a machine for tests"
tools/system-packages.sh tools/dist/packages.txt
work=$(mktemp -d)
. tools/dist/test-process.sh
trap 'stop_all; rm -rf "$work"' EXIT
export BLOCKS=$work/blocks

dist=$(realpath -m "${DIST:-dist}")
if [ -n "$short" ]; then
    step "packages from the programs that are built"
    target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
    # `make build` does not remove the symbols.
    strip -o "$work/postern" "${POSTERN_BIN:-$target/release/postern}"
    strip -o "$work/postern-client" "${POSTERN_CLIENT_BIN:-$target/release/postern-client}"
    export POSTERN_BIN=$work/postern POSTERN_CLIENT_BIN=$work/postern-client
    dist=$work/dist
    DIST=$dist DEB_COMPRESSION=gzip tools/dist.sh >"$work/dist.log" 2>&1 || { cat "$work/dist.log" >&2; fail "make dist"; }
fi
deb=$dist/postern_${VERSION}_amd64.deb
client_deb=$dist/postern-client_${VERSION}_amd64.deb
image=$dist/postern-$VERSION-oci.tar
archive=$dist/postern-$VERSION-x86_64-linux.tar.gz
[ -e "$archive" ] || fail "nothing in $dist: run 'make dist' first"

step "the version, without git too"
mkdir -p "$work/source/tools/dist"
cp Cargo.toml CHANGELOG.md "$work/source/"
cp tools/dist/version.sh "$work/source/tools/dist/"
said() { (cd "$work/source" && env -u BUILD_COMMIT -u SOURCE_DATE_EPOCH "$@" bash -euc '. tools/dist/version.sh; echo "$BUILD_VERSION"'); }
[ "$(GIT_CEILING_DIRECTORIES=$work said SOURCE_DATE_EPOCH=86400)" = "$VERSION (1970-01-02)" ] || fail "a version without git"
[ "$(GIT_CEILING_DIRECTORIES=$work said SOURCE_DATE_EPOCH=86400 BUILD_COMMIT=abc)" = "$VERSION (abc 1970-01-02)" ] || fail "a version from outside"

step "checksums, and a signature with a key of this test"
(cd "$dist" && check "checksums" sha256sum --check --strict SHA256SUMS)
[ "$(find "$dist" -type f ! -name 'SHA256SUMS*' | wc -l)" = "$(wc -l < "$dist/SHA256SUMS")" ] || fail "a file has no checksum"
cp "$dist/SHA256SUMS" "$work/"
check "a key for the test" minisign -G -W -p "$work/key.pub" -s "$work/key"
check "signing" minisign -S -s "$work/key" -m "$work/SHA256SUMS"
check "the signature" minisign -V -p "$work/key.pub" -m "$work/SHA256SUMS"

step "list of components"
node tools/dist/sbom-test.mjs "$dist/postern-$VERSION.cdx.json"

step "the archive of programs"
mkdir "$work/programs"
tar -xf "$archive" -C "$work/programs"
programs=$work/programs/postern-$VERSION
for name in postern postern-client; do
    "$programs/bin/$name" --version | grep -Eqx "$name $VERSION \\(([0-9a-f]{12}(-dirty)? )?[0-9]{4}(-[0-9]{2}){2}\\)" ||
        fail "$name does not say its version, commit and date"
    [ -s "$programs/man/$name.1" ] && [ -s "$programs/completions/$name.bash" ] || fail "$name has no manual or completions"
done
check "the completions for bash" bash -n "$programs/completions/postern.bash"
check "the manual page" man --warnings -E UTF-8 -l -Tutf8 -Z "$programs/man/postern.1"

step "the commands of the manual for the archive"
mkdir "$work/newcomer"
cp "$archive" "$work/newcomer/"
block=$(node tools/dist/block.mjs docs/start.md 'tar -xf')
newcomer=(env -i "PATH=$PATH" HOME="$work/newcomer" POSTERN_LISTEN="127.0.0.1:$PORT" POSTERN_OPERATOR__LISTEN="127.0.0.1:$OPERATOR_PORT" POSTERN_TIME__EMBEDDED=false)
start "${newcomer[@]}" sh -ec "cd '$work/newcomer'; $(sed 's/^\(postern.*\)$/exec \1/' <<<"$block")"
await "${newcomer[@]}" "$programs/bin/postern" health
grep -q '#code=' "$work/start.log" || fail "the program prints no link"
[ -e "$work/newcomer/data/postern.db" ] || fail "the data are not in ./data"
stop_all

if [ -z "$short" ]; then
    step "the programs need no library"
    for name in postern postern-client; do
        ldd "$programs/bin/$name" 2>&1 | grep -Eq 'statically linked|not a dynamic executable' || fail "$name is not static"
        ! readelf --dynamic "$programs/bin/$name" | grep -q NEEDED || fail "$name needs a library"
        ! grep -aqF "$PWD/" "$programs/bin/$name" || fail "$name contains a path of this machine"
    done
    mkdir -p "$work/empty/data"
    chown 65532:65532 "$work/empty/data"
    install -m 755 "$programs/bin/postern" "$programs/bin/postern-client" "$work/empty/"
    check "the client in an empty root" tools/dist/in-image.sh "$work/empty" /postern-client --help
    start tools/dist/in-image.sh "$work/empty" /postern serve
    await tools/dist/in-image.sh "$work/empty" /postern health
    stop_all
fi

step "the image: its description"
mkdir "$work/layout"
tar -xf "$image" -C "$work/layout"
[ -n "$short" ] || [ "$(stat --format=%s "$image")" -lt 20000000 ] || fail "the image has 20 MB or more"
check "skopeo, as OCI layout" skopeo inspect --config "oci:$work/layout:$VERSION"
cp "$work/check" "$work/config.json"
check "skopeo, as an archive of docker" skopeo inspect "docker-archive:$image"
node tools/dist/image-test.mjs "$work/config.json" "$work/layout"
check "umoci" umoci unpack --image "$work/layout:$VERSION" "$work/bundle"
root=$work/bundle/rootfs
[ "$(stat --format='%u %a' "$root/data")" = "65532 700" ] || fail "/data does not belong to the image's user"

step "the image: runs as its user with a read-only root"
[ -z "$short" ] || with_libraries "$root" "$root/postern"
check "the health check before the start" not tools/dist/in-image.sh "$root" /postern health
start tools/dist/in-image.sh "$root" /postern serve
await tools/dist/in-image.sh "$root" /postern health
grep -q '#code=' "$work/start.log" || fail "the image prints no link"
stop_all
[ -e "$root/data/postern.db" ] || fail "the image made no database"

step "Debian packages: lintian"
check "lintian" lintian --fail-on "${LINTIAN_FAIL_ON:-error}" ${short:+--suppress-tags missing-dependency-on-libc} "$deb" "$client_deb"

step "Debian packages: units"
dpkg-deb -x "$deb" "$work/unpacked"
mkdir "$work/units"
for unit in "$work"/unpacked/lib/systemd/system/*.service; do
    grep -q '^ExecStart=/usr/bin/postern ' "$unit" || fail "$(basename "$unit") runs another program"
    sed "s#/usr/bin/postern#$work/unpacked/usr/bin/postern#" "$unit" > "$work/units/$(basename "$unit")"
done
check "systemd" systemd-analyze verify --man=no "$work"/units/*.service

if [ -z "$short" ]; then
    step "the same packages again, from the same programs, in another folder"
    mkdir "$work/moved"
    cp "$programs"/bin/* "$work/moved/"
    check "make dist" env TZ=Pacific/Kiritimati POSTERN_BIN="$work/moved/postern" POSTERN_CLIENT_BIN="$work/moved/postern-client" \
        DIST="$work/again" CARGO_TARGET_DIR="$work/target" MINISIGN_KEY="$work/key" tools/dist.sh
    diff "$dist/SHA256SUMS" "$work/again/SHA256SUMS" || fail "two packagings of the same programs differ"
    step "their signature, checked as the manual says"
    cp "$work/key.pub" "$work/again/postern.pub"
    check "the signature" sh -ec "cd '$work/again'; $(node tools/dist/block.mjs docs/start.md 'minisign -V')"
    . tools/dist/test-debian.sh
    step "each command of the manual that is marked for this test has run"
    [ "$(sort -u "$BLOCKS" | wc -l)" = "$(grep -rx --include='*.md' ' *<!-- run: dist -->' docs | wc -l)" ] ||
        fail "a block marked 'run: dist' did not run; these ran: $(sort -u "$BLOCKS")"
fi
step "all is well"
