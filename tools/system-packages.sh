#!/usr/bin/env bash
# Installs the packages of tools/packages.txt, or of the given list, whose programs are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

is_there() {
    case $1 in
        /*) [ -e "$1" ] ;;
        python3:*) python3 -c "import ${1#*:}" 2>/dev/null ;;
        *) tools/find-program.sh "$1" >/dev/null ;;
    esac
}

missing=()
while read -r package programs; do
    for program in $programs; do
        if ! is_there "$program"; then
            missing+=("$package")
            break
        fi
    done
done < <(grep -v '^#' "${1:-tools/packages.txt}")

[ ${#missing[@]} -eq 0 ] && exit 0

stop() {
    echo "These packages are needed for the tests: ${missing[*]} ($1)." >&2
    echo "On Debian: apt-get install ${missing[*]}" >&2
    exit 1
}

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || stop "root is needed to install them"
    as_root=(sudo -n)
fi
command -v apt-get >/dev/null || stop "there is no apt-get here"

# The tests start the programs that they need. No service of a package may run because of this installation, neither now
# (invoke-rc.d(8) asks this file; an existing one is left unchanged) ...
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null; }
install() { apt install --yes --no-install-recommends "${missing[@]}" >/dev/null; }

echo "installing ${missing[*]}"
if ! apt-cache policy "${missing[0]}" 2>/dev/null | grep -q 'Candidate: [^(]' || ! install; then
    apt update || stop "apt-get update failed"
    install || stop "apt-get install failed"
fi

# ... nor after the next start of the machine.
if command -v systemctl >/dev/null; then
    for package in "${missing[@]}"; do
        "${as_root[@]}" systemctl disable --quiet "$package" >/dev/null 2>&1 || true
    done
fi
