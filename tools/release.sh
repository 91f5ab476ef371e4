#!/usr/bin/env bash
# Runs cargo build --release for Postern's programs. All are named each time, even to build one: cargo then takes one
# set of features for their dependencies and compiles each of them once.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD_VERSION=$(. tools/dist/version.sh && echo "$BUILD_VERSION")
export BUILD_VERSION
exec cargo build --release --package postern-server --package postern-demo --package postern-client --package postern-bench "$@"
