#!/usr/bin/env bash
# Makes the initial chain of the Monero tests: crates/regtest/snapshot/chain.tar.xz. Takes about a minute; needed when
# the version of monerod in tools/packages.txt changes.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo run --package postern-regtest --bin regtest -- bake "$work"
# Locks and logs belong to a process that is gone.
rm -f "$work"/node/*.log "$work"/node/lmdb/lock.mdb "$work"/node/fake/lmdb/lock.mdb "$work"/w-*/*.log
mkdir -p crates/regtest/snapshot
# Keeps holes, because the database is a gibibyte of zeros.
tar -C "$work" -S --owner=0 --group=0 --numeric-owner -cJf crates/regtest/snapshot/chain.tar.xz node w-payer w-merchant
ls -l crates/regtest/snapshot/chain.tar.xz
