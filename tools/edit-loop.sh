#!/usr/bin/env bash
# Measures the edit loop of `make dev`: the seconds from saving a file to the changed answer on the page, for a rule of
# the domain, a handler, a page and an island. It works on a clone of the last commit, below the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."

port=${PORT:-3050}
limit=${LIMIT_SECONDS:-900}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
clone=$CARGO_TARGET_DIR/edit-loop
log=$CARGO_TARGET_DIR/edit-loop.log

if [ ! -d tools/node_modules ]; then
    npm ci --prefix tools --ignore-scripts --no-audit --no-fund >/dev/null
fi
rm -rf "$clone"
git clone --quiet --shared . "$clone"
ln -s "$PWD/tools/node_modules" "$clone/tools/node_modules"

export POSTERN_PUBLIC_URL=http://localhost:$port POSTERN_LISTEN=127.0.0.1:$port
export POSTERN_OPERATOR__LISTEN=off POSTERN_TIME__EMBEDDED=false
(cd "$clone" && exec tools/dev.sh) >"$log" 2>&1 &
dev=$!
# When it is terminated, the script ends its server after the current command.
trap 'kill "$dev" 2>/dev/null; wait "$dev" 2>/dev/null || true' EXIT

page() { curl --silent --max-time 2 "http://localhost:$port$1" || true; }
module() { page /signup | grep -o '/pkg/login[^"]*\.wasm' | head -n 1; }
fail() {
    echo "$1; the last lines of $log:" >&2
    tail -n 20 "$log" >&2
    exit 1
}

# Waits until the command in its arguments succeeds.
await() {
    local began=$EPOCHSECONDS
    until "$@"; do
        kill -0 "$dev" 2>/dev/null || fail "tools/dev.sh has ended"
        if ((EPOCHSECONDS - began > limit)); then fail "no answer after $limit s: $*"; fi
        sleep 0.05
    done
}
seconds_since() { awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $1 }"; }

# Edits a file of the clone, and prints the time until the change has arrived.
measure() {
    local name=$1 file=$2 edit=$3 began
    shift 3
    began=$EPOCHREALTIME
    sed -i "$edit" "$clone/$file"
    if git -C "$clone" diff --quiet -- "$file"; then fail "the edit changes nothing in $file"; fi
    await "$@"
    printf '%-32s %6s s   %s\n' "$name" "$(seconds_since "$began")" "$file"
}

is_up() { [ -n "$(module)" ]; }
shows() { grep --quiet --fixed-strings -- "$2" <<<"$(page "$1")"; }
has_new_module() {
    local now
    now=$(module)
    [ -n "$now" ] && [ "$now" != "$before" ] && shows /signup "An edited label" &&
        curl --silent --fail --max-time 2 --output /dev/null "http://localhost:$port$now"
}

began=$EPOCHREALTIME
await is_up
printf '%-32s %6s s\n' "first build" "$(seconds_since "$began")"

measure "a rule of the domain" crates/domain/src/local_path.rs \
    's|HOME: &str = "/dashboard"|HOME: \&str = "/dashboard?edited"|' shows "/signup?next=//elsewhere" "/dashboard?edited"
measure "a handler" server/src/http/not_found.rs \
    's#path.starts_with("/pkg/")#path.starts_with("/pkg/") || path.starts_with("/edited/")#' \
    shows /edited/none '"code":"not_found"'
measure "a page" app/src/pages/signup.rs \
    's|"This is the first account, so|"This is the very first account, so|' shows /signup "the very first account"
before=$(module)
measure "an island" app/src/islands/signup_form.rs \
    's|label="Create account"|label="An edited label"|' has_new_module
