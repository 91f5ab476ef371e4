#!/bin/sh
# Runs a command in the root folder of an image: as its user, so without capabilities, with nothing writable but /data, and with the
# image's environment and no other. in-image.sh ROOT COMMAND... Needs PORT and OPERATOR_PORT.
set -eu
# shellcheck disable=SC2016
exec unshare --mount --pid --fork --kill-child=TERM sh -ec '
    root=$1
    shift
    mount --bind "$root" "$root"
    mount --bind "$root/data" "$root/data"
    mount -o remount,bind,ro "$root"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/data POSTERN_DATA_DIR=/data POSTERN_TIME__EMBEDDED=false \
        POSTERN_LISTEN="127.0.0.1:$PORT" POSTERN_PUBLIC_URL="http://localhost:$PORT" POSTERN_OPERATOR__LISTEN="127.0.0.1:$OPERATOR_PORT" \
        setpriv --no-new-privs chroot --userspec=65532:65532 "$root" "$@"
' sh "$@"
