#!/usr/bin/env bash
# Compiles the static programs, without a path of this machine in them: two builds in two folders are equal. Prints where
# they are.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/dist/version.sh

triple=x86_64-unknown-linux-gnu
[ "$(rustc -vV | sed -n 's/^host: //p')" = "$triple" ] || { echo "packages are made on $triple only" >&2; exit 1; }
target=$(realpath -m "${DIST_TARGET_DIR:-${CARGO_TARGET_DIR:-target}/dist}")
registry=$(realpath -m "${CARGO_HOME:-$HOME/.cargo}")
mkdir -p "$target"
cc -O2 -c tools/dist/names.c -o "$target/names.o"

flags=(
    -C target-feature=+crt-static
    -C "link-arg=$target/names.o"
    # Halves the relocations of a position-independent program.
    -C link-arg=-Wl,-z,pack-relative-relocs
    # Merges equal functions.
    -C link-arg=-Wl,--icf=all
    -C strip=symbols
    # Uses the system call. The default looks the function up by name, which a static program cannot do, and then needs
    # /dev/urandom.
    --cfg 'getrandom_backend="linux_getrandom"'
    "--remap-path-prefix=$PWD=/postern"
    "--remap-path-prefix=$registry=/cargo"
    "--remap-path-prefix=$target=/target"
)
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${flags[@]}")
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}
export CFLAGS="-ffile-prefix-map=$registry=/cargo -ffile-prefix-map=$target=/target -ffile-prefix-map=$PWD=/postern"
export CARGO_TARGET_DIR=$target

# A fixed time: with the commit's, the C libraries and everything that uses them would be compiled again for each
# commit.
export SOURCE_DATE_EPOCH=0
cargo build --locked --profile dist --target "$triple" --package postern-server --package postern-client --bin postern --bin postern-client >&2
echo "$target/$triple/dist"
