#!/bin/sh
# Build CoreLayer into $ARTIFACTS_DIR: our own package with its bytecode. `sam build` calls this
# through the Makefile, in a copy of this folder. The reason for the bytecode, and PYTHON:
# see ../dependencies/build.sh.
set -eu

is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }
python=
for candidate in "${PYTHON:-}" python3.13 python3 "${HOME:-}"/.pyenv/versions/3.13.*/bin/python3.13; do
    if [ -n "$candidate" ] && is_313 "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "CoreLayer: needs a Python 3.13; name it: PYTHON=/path/to/python3.13 sam build" >&2
    exit 1
fi

target=$ARTIFACTS_DIR/python
mkdir -p "$target"
cp -R ferryman "$target/"
find "$target" -depth -type d -name __pycache__ -exec rm -rf {} +
PYTHONHASHSEED=0 "$python" -m compileall -q -f --invalidation-mode unchecked-hash \
    -s "$ARTIFACTS_DIR" -p /opt "$target"
