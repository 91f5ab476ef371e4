#!/usr/bin/env bash
# Builds the browser's files, the server and the terminal client. The server's program embeds the files, its library
# does not: the libraries compile beside the files, so that no core is idle while the other links.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "==> the browser's files, and the libraries beside them"
tools/release.sh --lib &
libraries=$!
trap 'kill "$libraries" 2>/dev/null || true' EXIT
cargo xtask site
wait "$libraries"
trap - EXIT

echo "==> the server, its demo and the terminal client"
tools/release.sh --bin postern --bin postern-demo --bin postern-client
