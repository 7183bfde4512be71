#!/bin/sh
# Build DependenciesLayer into $ARTIFACTS_DIR. `sam build` calls this through the Makefile, in a
# copy of this folder.
#
# A layer that SAM builds itself holds no bytecode, and /opt is read-only in Lambda, so every cold
# start would compile boto3 and pydantic anew. Here the bytecode is part of the layer, of the kind
# that is never compared with its source ("unchecked-hash": it doesn't depend on time stamps).
#
# SAM doesn't tell a makefile which architecture it builds for. The few compiled modules carry the
# architecture in their file names, so the layer holds them for both and runs on either.
#
# Environment:
#   PYTHON          a Python 3.13 with pip (default: looked for on the PATH and in pyenv's versions)
#   ARCHITECTURES   default: x86_64 aarch64
set -eu

fail() { echo "DependenciesLayer: $1" >&2; exit 1; }

is_313() { "$1" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1; }
python=
for candidate in "${PYTHON:-}" python3.13 python3 "${HOME:-}"/.pyenv/versions/3.13.*/bin/python3.13; do
    if [ -n "$candidate" ] && is_313 "$candidate"; then python=$candidate; break; fi
done
[ -n "$python" ] || fail "needs a Python 3.13 with pip; name it: PYTHON=/path/to/python3.13 sam build"

install() { # requirements, architecture, target
    "$python" -m pip install -qq --disable-pip-version-check --no-compile --no-deps --require-hashes \
        --only-binary :all: --implementation cp --python-version 3.13 --platform "manylinux_2_28_$2" \
        --platform "manylinux_2_17_$2" --platform "manylinux2014_$2" --target "$3" -r "$1"
    # A module for the stable ABI has no architecture in its name; under this one Python loads it as well.
    find "$3" -name '*.abi3.so' | while read -r module; do
        mv "$module" "${module%.abi3.so}.cpython-313-$2-linux-gnu.so"
    done
}
compiled() { # the names of the installed packages that are not pure Python
    for wheel in $(cd "$target" && grep -l '^Root-Is-Purelib: false' ./*.dist-info/WHEEL); do
        sed -n 's/^Name: //p' "$target/${wheel%/WHEEL}/METADATA" | tr 'A-Z_' 'a-z-'
    done
}

target=$ARTIFACTS_DIR/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
set -- ${ARCHITECTURES:-x86_64 aarch64}
install requirements.txt "$1" "$target"
shift
compiled > "$work/compiled"
awk -v names="$(tr '\n' ' ' < "$work/compiled")" \
    '/^[A-Za-z0-9]/ { split($1, name, "=="); wanted = index(" " names, " " name[1] " ") } wanted' \
    requirements.txt > "$work/requirements.txt"
if [ -s "$work/compiled" ]; then
    for architecture in "$@"; do
        install "$work/requirements.txt" "$architecture" "$work/$architecture"
        (cd "$work/$architecture" && find . -name '*.so') | while read -r module; do
            cp "$work/$architecture/$module" "$target/$module"
        done
    done
fi

# What no Lambda reads.
rm -rf "$target/bin" "$target/boto3/examples"
find "$target" -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} +
find "$target" -path '*.dist-info/*' -type f ! -name METADATA ! -name 'LICEN*' ! -name 'NOTICE*' -delete
for folder in "$target"/botocore/data/*/ "$target"/boto3/data/*/; do
    grep -qxF "$(basename "$folder")" services.txt || rm -rf "$folder"
done
grep -v '^#' services.txt | while read -r service; do
    [ -d "$target/botocore/data/$service" ] || fail "services.txt names $service, which botocore doesn't know"
done

# The paths in tracebacks are those in Lambda, wherever this was built.
PYTHONHASHSEED=0 "$python" -m compileall -q -f -j 0 --invalidation-mode unchecked-hash \
    -s "$ARTIFACTS_DIR" -p /opt "$target"
