#!/usr/bin/env bash
# Copies the files of a release into a folder: stage.sh FOLDER POSTERN POSTERN_CLIENT
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$1 postern=$2 client=$3

rm -rf "$folder"
mkdir -p "$folder"/{bin,man,completions,etc,examples,doc}
install -m 755 "$postern" "$folder/bin/postern"
install -m 755 "$client" "$folder/bin/postern-client"
"$folder/bin/postern" man "$folder/man"
"$folder/bin/postern-client" man "$folder/man"
for shell in bash zsh fish; do
    "$folder/bin/postern" completions "$shell" > "$folder/completions/postern.$shell"
    "$folder/bin/postern-client" completions "$shell" > "$folder/completions/postern-client.$shell"
done
install -m 644 postern.toml time-server.toml "$folder/etc/"
cp -r deploy/{nginx,caddy,haproxy,traefik,fail2ban,systemd} "$folder/examples/"
install -m 644 deploy/README.md "$folder/examples/README.md"
install -m 644 README.md CHANGELOG.md SECURITY.md LICENSE LICENSE-APACHE LICENSE-MIT "$folder/doc/"
find "$folder" -type d -exec chmod 755 {} +
find "$folder" -type f ! -path "$folder/bin/*" -exec chmod 644 {} +
