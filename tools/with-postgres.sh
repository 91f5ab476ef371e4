#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES_URL set to a PostgreSQL cluster that runs as long as the command. Its data is
# deleted, so it need not survive a crash either: fsync is off.
set -euo pipefail

here=$(dirname "$0")
initdb=$("$here/find-program.sh" initdb)
pg_ctl=$("$here/find-program.sh" pg_ctl)

work=$(mktemp -d /tmp/postern-postgres.XXXXXX)
as_user=()
# PostgreSQL refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
    user=nobody
    id postgres >/dev/null 2>&1 && user=postgres
    chown "$user" "$work"
    as_user=(runuser -u "$user" --)
fi
pg() { (cd "$work" && "${as_user[@]}" "$@" </dev/null); }

stop() {
    pg "$pg_ctl" --pgdata="$work/data" --mode=immediate --silent stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
child=
end() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    exit "$1"
}
trap stop EXIT
trap 'end 130' INT
trap 'end 143' TERM

show_log() { cat "$work"/*.log >&2; exit 1; }

pg "$initdb" --pgdata="$work/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C \
    --no-sync --no-instructions >"$work/initdb.log" 2>&1 || show_log

port=
for _ in {1..20}; do
    try=$((20000 + RANDOM % 12000))
    if pg "$pg_ctl" --pgdata="$work/data" --log="$work/server.log" --wait --silent --options="\
        -p $try -k $work -c listen_addresses=127.0.0.1 -c max_connections=100 \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start >/dev/null 2>&1; then
        port=$try
        break
    fi
done
[ -n "$port" ] || show_log

# In the background, so that a signal reaches the traps at once.
TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres" "$@" </dev/null &
child=$!
wait "$child"
