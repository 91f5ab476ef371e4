#!/usr/bin/env bash
# Makes the Debian packages from a staged release: deb.sh STAGED VERSION OUT. Needs SOURCE_DATE_EPOCH.
# DEB_COMPRESSION=gzip is faster, for tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
staged=$(realpath "$1") version=$2 out=$(realpath "$3")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# Files of both packages: program, manual pages, completions, documents.
common() {
    local name=$1 root=$2 page
    install -D -m 755 "$staged/bin/$name" "$root/usr/bin/$name"
    mkdir -p "$root/usr/share/man/man1"
    for page in "$staged"/man/"$name".1 "$staged"/man/"$name"-*.1; do
        case $name:$(basename "$page") in postern:postern-client*) continue ;; esac
        gzip -9nc "$page" > "$root/usr/share/man/man1/$(basename "$page").gz"
    done
    install -D -m 644 "$staged/completions/$name.bash" "$root/usr/share/bash-completion/completions/$name"
    install -D -m 644 "$staged/completions/$name.zsh" "$root/usr/share/zsh/vendor-completions/_$name"
    install -D -m 644 "$staged/completions/$name.fish" "$root/usr/share/fish/vendor_completions.d/$name.fish"
    local doc=$root/usr/share/doc/$name
    mkdir -p "$doc"
    install -m 644 "$staged/doc/README.md" "$staged/doc/SECURITY.md" "$doc/"
    gzip -9nc "$staged/doc/CHANGELOG.md" > "$doc/changelog.gz"
    gzip -9nc "$staged/doc/sbom.cdx.json" > "$doc/sbom.cdx.json.gz"
    changelog "$name" | gzip -9n > "$doc/changelog.Debian.gz"
    licenses "$name" > "$doc/copyright"
    install -D -m 644 "deploy/debian/$name/lintian-overrides" "$root/usr/share/lintian/overrides/$name"
}

changelog() {
    printf '%s (%s) unstable; urgency=medium\n\n  * Release %s: see changelog.gz.\n\n' "$1" "$version" "$version"
    printf ' -- Postern contributors <postern@contributors.invalid>  %s\n' "$(LC_ALL=C date --utc --date="@$SOURCE_DATE_EPOCH" -R)"
}

licenses() {
    sed -e '/^@MIT@$/{r '<(sed -e 's/^$/./' -e 's/^/ /' "$staged/doc/LICENSE-MIT")'
d}' -e "s/PACKAGE/$1/" deploy/debian/copyright
}

# The services, their users' settings, and configurations for proxies.
services() {
    local root=$1 unit
    mkdir -p "$root/lib/systemd/system" "$root/etc/postern" "$root/usr/share/doc/postern/examples"
    for unit in deploy/systemd/*.service; do
        sed -e 's#/usr/local/bin/#/usr/bin/#' -e 's#^Documentation=.*#Documentation=man:postern(1)#' "$unit" \
            > "$root/lib/systemd/system/$(basename "$unit")"
    done
    sed 's#^data_dir = "data"$#data_dir = "/var/lib/postern"#' "$staged/etc/postern.toml" > "$root/etc/postern/postern.toml"
    install -m 644 "$staged/etc/time-server.toml" "$root/etc/postern/time-server.toml"
    grep -q '^data_dir = "/var/lib/postern"$' "$root/etc/postern/postern.toml"
    cp -r "$staged/examples/." "$root/usr/share/doc/postern/examples/"
    rm -r "$root/usr/share/doc/postern/examples/systemd"
}

pack() {
    local name=$1 root=$work/$1 script
    mkdir -p "$root/DEBIAN"
    common "$name" "$root"
    [ "$name" != postern ] || services "$root"
    (cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) > "$work/md5sums"
    install -m 644 "$work/md5sums" "$root/DEBIAN/md5sums"
    sed -e "s/@VERSION@/$version/" -e "s/@SIZE@/$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)/" \
        "deploy/debian/$name/control" > "$root/DEBIAN/control"
    for script in preinst postinst prerm postrm; do
        [ ! -e "deploy/debian/$name/$script" ] || install -m 755 "deploy/debian/$name/$script" "$root/DEBIAN/$script"
    done
    [ ! -e "deploy/debian/$name/conffiles" ] || install -m 644 "deploy/debian/$name/conffiles" "$root/DEBIAN/conffiles"
    find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group "-Z${DEB_COMPRESSION:-xz}" --build "$root" "$out/${name}_${version}_amd64.deb" >&2
}

pack postern
pack postern-client
