#!/bin/sh
# Make a virtual environment, also where Debian has split `venv` off into a package of its own.
set -eu
python=$1
venv=$2
rm -rf "$venv"
if "$python" -m venv "$venv" 2>/dev/null; then
  exit 0
fi
rm -rf "$venv"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
  exec "$python" -m venv "$venv"
fi
echo "This Python has no venv module. Install it once (Debian: sudo apt install python3-venv) and run again." >&2
exit 2
