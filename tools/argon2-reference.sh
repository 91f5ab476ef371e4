#!/usr/bin/env bash
# Builds argon2's C reference for AVX2 from its Python package on PyPI, for the measurement of logins only, and prints
# the folder. Fails if this machine has no AVX2, no C compiler or no PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -qw avx2 /proc/cpuinfo
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/argon2-reference")
if [ ! -e "$folder/done" ]; then
    rm -rf "$folder"
    # The package's own wheels are built for any x86-64, without AVX2.
    CFLAGS="-O3 -mavx2" ARGON2_CFFI_USE_SSE2=1 python3 -m pip install --quiet --disable-pip-version-check \
        --root-user-action ignore --no-binary argon2-cffi-bindings --target "$folder" \
        argon2-cffi-bindings==26.2.0 cffi==2.1.1 pycparser==3.12 >&2
    touch "$folder/done"
fi
echo "$folder"
