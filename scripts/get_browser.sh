#!/bin/sh
# Makes sure that there is a Chromium for the tests of the report site. Does nothing where there is one.
set -eu

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    log="$(mktemp)"
    echo "Installing chromium, which the tests of the report site need."
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium; } >"$log" 2>&1
    then
        rm "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
fi
echo "The tests of the report site need Chromium: install the package chromium, or Google Chrome." >&2
exit 1
