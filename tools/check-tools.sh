#!/usr/bin/env bash
# Names the tools that are missing for a build, before the build starts.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null || missing+=("$1: $2"); }

need cargo "install Rust with rustup (https://rustup.rs)"
need cc "install a C compiler (Debian: apt-get install build-essential)"
need node "install Node.js 20 or newer (Debian: apt-get install nodejs npm)"
need npm "install npm (Debian: apt-get install npm)"

if command -v node >/dev/null; then
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    [ "$major" -ge 20 ] || missing+=("node: version 20 or newer is needed, this is $(node --version)")
fi
if command -v cargo >/dev/null && ! cargo --version >/dev/null 2>&1; then
    missing+=("cargo: the toolchain of rust-toolchain.toml is not there (rustup toolchain install)")
fi

[ ${#missing[@]} -eq 0 ] && exit 0
echo "Postern cannot be built yet:" >&2
printf '  %s\n' "${missing[@]}" >&2
exit 1
