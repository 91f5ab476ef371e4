# Sourced by tools/dist-test.sh: processes in a folder that replaces a machine.
started=()

start() {
    "$@" >"$work/start.log" 2>&1 &
    started+=($!)
}

# Waits until a command succeeds, or until the started program has ended.
await() {
    local tries=0
    until "$@" >/dev/null 2>&1; do
        kill -0 "${started[-1]}" 2>/dev/null || { cat "$work/start.log" >&2; fail "the server has ended"; }
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { cat "$work/start.log" >&2; fail "the server does not answer"; }
        sleep 0.1
    done
}

# `unshare` ignores SIGTERM. The next server gets other ports, because this one may still be ending.
stop_all() {
    local pid
    for pid in "${started[@]}"; do
        # The kernel forgets the signal of `unshare --kill-child` when the child changes its user.
        pkill -KILL -P "$pid" || true
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    started=()
    choose_ports
}

not() { ! "$@"; }

# Copies the libraries of a program that is not static.
with_libraries() {
    { ldd "$2" || true; } | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$1$(dirname "$library")"
        cp -L "$library" "$1$library"
    done
}

free_port() {
    node -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })"
}
choose_ports() {
    PORT=$(free_port)
    OPERATOR_PORT=$(free_port)
    export PORT OPERATOR_PORT
}
choose_ports
