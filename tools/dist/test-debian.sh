# Sourced by tools/dist-test.sh: installs, upgrades and purges the package in a fresh Debian, and runs the commands of
# the manual there, from its own text.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get --no-release-info indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v suite="$suite" '$2 == suite { print $1; exit }')
debian=$work/debian

step "Debian packages: a fresh $suite"
check "debootstrap" debootstrap --variant=minbase --include=adduser,init-system-helpers,ca-certificates "$suite" "$debian" "$mirror"
printf '#!/bin/sh\nexit 101\n' > "$debian/usr/sbin/policy-rc.d"
# Commands of the manual use `sudo`, which the image of a minimal Debian does not contain.
printf '#!/bin/sh\nif [ "$1" = -u ]; then user=$2; shift 2; exec runuser -u "$user" -- "$@"; fi\nexec "$@"\n' > "$debian/usr/bin/sudo"
chmod 755 "$debian/usr/sbin/policy-rc.d" "$debian/usr/bin/sudo"
inside() { chroot "$debian" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
files() { (cd "$debian" && find . -xdev \( -path ./var/log -o -path ./var/cache -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./tmp -o -path ./root \) -prune -o -print | LC_ALL=C sort); }
# Prints the block of a page that runs here and contains this text.
from_page() { node tools/dist/block.mjs "$1" "$2"; }

# The previous package: the same files under an older version.
mkdir -p "$work/old"
DEB_COMPRESSION=gzip tools/dist/deb.sh "$programs" 0.0.1 "$work/old" 2>/dev/null

step "Debian packages: installation"
files > "$work/before"
cp "$work/old/postern_0.0.1_amd64.deb" "$debian/root/"
# Runs the command `apt install` of a page, without questions.
apt_install() { inside sh -ec "cd /root && $(from_page "$1" 'apt install' | sed 's/apt install/apt install -y -qq -o Dpkg::Options::=--force-confold/')"; }
apt_install docs/start.md > "$work/install.log" 2>&1 || { cat "$work/install.log" >&2; fail "the installation"; }
grep -q 'http://localhost:3000/signup#code=' "$work/install.log" || fail "the installation prints no link"
link=$(inside sh -ec "$(from_page docs/start.md 'postern setup')")
grep -qF "$link" "$work/install.log" || fail "'postern setup' prints another link"
[ "$(inside stat --format='%U %a' /var/lib/postern)" = "postern 700" ] || fail "the folder of the data"
[ "$(inside stat --format='%G %a' /etc/postern/postern.toml)" = "postern 640" ] || fail "the settings are readable for others"
[ "$(inside stat --format='%G %a' /etc/postern/time-server.toml)" = "postern-time 640" ] || fail "the time server's settings"
inside sh -c 'ls /etc/systemd/system/multi-user.target.wants' | grep -qx postern.service || fail "the portal is not enabled"
! inside sh -c 'ls /etc/systemd/system/multi-user.target.wants' | grep -q 'gate\|time' || fail "a service is enabled that nobody asked for"

# Runs the server as its unit does, until it is ready.
serve() {
    local ports=(POSTERN_LISTEN="127.0.0.1:$PORT" POSTERN_OPERATOR__LISTEN="127.0.0.1:$OPERATOR_PORT" POSTERN_TIME__EMBEDDED=false)
    local unit=$debian/lib/systemd/system/postern.service
    start chroot "$debian" /usr/bin/env -i PATH=/usr/bin POSTERN_CONFIG=/etc/postern/postern.toml "${ports[@]}" \
        setpriv --reuid postern --regid postern --init-groups \
        sh -c "umask 077; cd /var/lib/postern; exec $(sed -n 's/^ExecStart=//p' "$unit")"
    await inside env "${ports[@]}" postern health
    stop_all
}

step "Debian packages: the service starts"
serve

step "Debian packages: upgrade"
inside sh -ec 'echo "a long password of a test" | runuser -u postern -- postern user add ada'
inside sh -ec 'sed -i "s/^name = \"Postern\"/name = \"Mine\"/" /etc/postern/postern.toml'
cp "$deb" "$debian/root/"
rm "$debian/root/postern_0.0.1_amd64.deb"
apt_install docs/upgrading.md > "$work/upgrade.log" 2>&1 || { cat "$work/upgrade.log" >&2; fail "the upgrade"; }
! grep -q 'code=' "$work/upgrade.log" || fail "the upgrade prints a link"
backup=$(inside sh -c 'ls /var/lib/postern/upgrades/*-from-0.0.1.db') || fail "the upgrade made no backup"
inside runuser -u postern -- postern user list | grep -q ada || fail "the upgrade lost an account"
inside grep -q '"Mine"' /etc/postern/postern.toml || fail "the upgrade lost a setting"
check "restoring the backup" inside sh -ec "cd /tmp && runuser -u postern -- postern restore --data-dir /tmp/restored --without-key $backup"
inside rm -rf /tmp/restored

step "Debian packages: the new program migrates the database when it starts"
# As if the older version had not known one of the migrations.
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])' "$debian/var/lib/postern/postern.db" \
    "DROP INDEX oauth_logouts_next; DELETE FROM _sqlx_migrations WHERE version = 38"
doctor() { inside runuser -u postern -- postern doctor || true; }
doctor | grep -q 'changes of the database are pending' || fail "doctor reports no pending migration"
serve
doctor | grep -q 'every change that this version needs' || fail "the start ran no migration"

step "Debian packages: an upgrade without a backup stops"
inside mv /var/lib/postern/postern.db /var/lib/postern/whole.db
inside sh -c 'echo broken > /var/lib/postern/postern.db; chown postern: /var/lib/postern/postern.db'
check "an upgrade of a damaged database" not inside dpkg -i "/root/$(basename "$deb")"
grep -q POSTERN_UPGRADE_BACKUP "$work/check" || fail "the upgrade does not say how to go on"
inside mv /var/lib/postern/whole.db /var/lib/postern/postern.db
check "the same upgrade with a whole database" inside dpkg -i "/root/$(basename "$deb")"

step "Debian packages: removal keeps the data, purging removes everything"
check "removal" inside dpkg --remove postern
[ -e "$debian/var/lib/postern/postern.db" ] && [ -e "$debian/etc/postern/postern.toml" ] || fail "removal deletes data"
check "purging" inside dpkg --purge postern
! inside getent passwd postern postern-time || fail "purging leaves a user"
files > "$work/after"
left=$(comm -13 "$work/before" "$work/after" | grep -vE '^./(run|etc)/(adduser|(passwd|group|shadow|gshadow|subuid|subgid)-?)$' || true)
[ -z "$left" ] || fail "purging leaves $left"

step "Debian packages: the client"
cp "$client_deb" "$debian/root/"
check "the client's package" inside dpkg -i "/root/$(basename "$client_deb")"
inside postern-client --version | grep -qF "postern-client $VERSION" || fail "the client does not start"
