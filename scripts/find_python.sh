#!/bin/sh
# Print the newest Python on the PATH that the pinned packages install on: 3.11 to 3.13. PYTHON, where it is set, is tried alone.
set -eu
for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
  # A name that is on the PATH may still run nothing, as pyenv's do.
  if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    echo "$python"
    exit 0
  fi
done
echo "Python 3.11, 3.12 or 3.13 is needed and ${PYTHON:-none on the PATH} is not one: install it (Debian and Ubuntu: apt install" \
  "python3; macOS: brew install python@3.13; any: uv python install 3.13), or name it: make install PYTHON=/path/to/python3.13" >&2
exit 2
