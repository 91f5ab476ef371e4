#!/usr/bin/env bash
# Installs the libraries from PyPI that the browser tests use, in end2end/.venv; again when their list has changed.
set -euo pipefail
cd "$(dirname "$0")/../end2end"

list=support/requirements.txt
made_of=.venv/requirements.txt
if cmp --silent "$list" "$made_of" && .venv/bin/python -c 'import authlib, jupyterhub, jwt, schemathesis' 2>/dev/null; then
    exit 0
fi

echo "libraries from PyPI"
rm -rf .venv
python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --requirement "$list"
cp "$list" "$made_of"
