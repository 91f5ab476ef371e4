#!/usr/bin/env bash
# The browser's files and the server. The program embeds the files, its library knows nothing of them: both are
# compiled at once, so that no core waits while the other links.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "==> the browser's files, and the server's library beside them"
cargo build --release --package server --lib &
library=$!
trap 'kill "$library" 2>/dev/null || true' EXIT
cargo xtask site
wait "$library"
trap - EXIT

echo "==> the server"
cargo build --release --package server --bin postern
