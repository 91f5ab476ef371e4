#!/usr/bin/env bash
# Installs the target wasm32-unknown-unknown for the pinned toolchain.
#
# The usual way is `rustup target add`. If rustup's server cannot be reached but a Debian mirror can, the standard
# library is built from Debian's rust-src of exactly the compiler's version. For that, apt uses folders of its own: the
# system's sources are not changed, and root is not needed.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
rustup_seconds=60

say() { printf 'wasm-target: [%3ss] %s\n' "$SECONDS" "$*"; }
fail() { printf 'wasm-target: %s\n' "$*" >&2; exit 1; }

libdir=$(rustc --print target-libdir --target "$target")
installed() { compgen -G "$libdir/libstd-*.rlib" >/dev/null; }

installed && exit 0

if command -v rustup >/dev/null; then
    say "adding $target by rustup"
    if RUST_BACKTRACE=0 timeout "$rustup_seconds" rustup target add "$target" </dev/null && installed; then
        say "done"
        exit 0
    fi
    say "rustup could not add it"
fi

by_hand="install the Rust target $target by hand (rustup target add $target), then try again"
for tool in apt-get apt-cache dpkg-deb; do
    command -v "$tool" >/dev/null || fail "no $tool here; $by_hand"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,src}

private=(
    -o Dir::Etc::SourceList="$work/sources.list"
    -o Dir::Etc::SourceParts=-
    -o Dir::State="$work"
    -o Dir::State::Lists="$work/lists"
    -o Dir::Cache="$work/cache"
    -o APT::Sandbox::User=
    -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o Acquire::Retries=2
)

version=$(rustc --version | cut -d' ' -f2)
own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "no Debian keyring here; $by_hand"
mirror=$(apt-get --no-release-info indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v own="$own" '$2 == own { print $1; exit }')
[ -n "$mirror" ] || fail "apt knows no Debian mirror; $by_hand"

package=
for suite in "$own" "$own-backports" trixie trixie-backports forky sid; do
    say "looking for rust-src $version in Debian $suite"
    echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
    apt-get "${private[@]}" -qq update </dev/null >"$work/apt.log" 2>&1 || continue
    package=$(apt-cache "${private[@]}" madison rust-src |
        awk -v v="$version" 'index($3, v "+") == 1 || index($3, v "-") == 1 { print $3; exit }')
    [ -z "$package" ] || break
done
[ -n "$package" ] || fail "no Debian suite has rust-src $version; $by_hand"

say "downloading rust-src $package"
(cd "$work" && apt-get "${private[@]}" -qq download "rust-src=$package" </dev/null)
dpkg-deb -x "$work"/rust-src_*.deb "$work/src"

library=$(echo "$work"/src/usr/src/rustc-*/library)
[ -d "$library/sysroot" ] || fail "rust-src $package has no library/sysroot; $by_hand"
toolchain=$(rustup show active-toolchain 2>/dev/null | cut -d' ' -f1 || true)

say "building the standard library for $target (about a minute)"
(
    cd "$library"
    [ -z "$toolchain" ] || export RUSTUP_TOOLCHAIN="$toolchain"
    RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-Cembed-bitcode=yes -Zforce-unstable-if-unmarked" \
        __CARGO_DEFAULT_LIB_METADATA=std \
        CARGO_TARGET_DIR="$work/target" \
        cargo build --quiet -p sysroot --release --target "$target" \
        --features "panic-unwind compiler-builtins-mem" </dev/null
)

mkdir -p "$libdir"
find "$work/target/$target/release/deps" -name '*.rlib' ! -name 'libsysroot*' -exec cp -t "$libdir" {} +
installed || fail "the built library is not complete; $by_hand"
say "done"
