#!/usr/bin/env bash
# Runs each fuzz target for FUZZ_SECONDS (60). TARGETS="jwt dpop" runs only these. Exits with an error on a finding.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "==> cargo-fuzz from the package registry"
    cargo install cargo-fuzz --version 0.13.2 --locked
fi
# The server embeds this folder at compile time; the targets need no content in it.
mkdir -p site

# Coverage needs compiler flags that a stable toolchain has only with this variable. A sanitizer finds nothing more in
# code without `unsafe`, and halves the speed.
export RUSTC_BOOTSTRAP=1
run() { cargo fuzz "$1" --sanitizer none "${@:2}"; }

# New inputs beside the corpus are stored there, and not in the repository.
kept=${FUZZ_CORPUS:-fuzz/found}
targets=${TARGETS:-$(cargo fuzz list)}
# shellcheck disable=SC2086
for target in $targets; do run build "$target"; done

failed=()
for target in $targets; do
    mkdir -p "$kept/$target"
    dictionary=()
    [ ! -f "fuzz/dictionaries/$target" ] || dictionary=(-dict="fuzz/dictionaries/$target")
    echo "==> $target, $seconds s"
    run run "$target" "$kept/$target" "fuzz/corpus/$target" -- -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 "${dictionary[@]}" || failed+=("$target")
done

if [ ${#failed[@]} -gt 0 ]; then
    echo "==> found: ${failed[*]}. The inputs are in fuzz/artifacts/TARGET; put one into fuzz/corpus/TARGET once it is mended." >&2
    exit 1
fi
echo "==> no target found anything"
