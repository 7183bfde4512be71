#!/usr/bin/env bash
# The API's tests on PostgreSQL: DATABASE_URL's, or a server of its own that ends with them (Debian's postgresql package).
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath -s "${1:?the interpreter}")

if [ -z "${DATABASE_URL:-}" ]; then
    bin=$(find /usr/lib/postgresql /usr/local/bin /usr/bin -maxdepth 3 -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
    if [ -z "$bin" ]; then
        echo "api-test: no database. Set DATABASE_URL=postgresql://user:password@host/name, or install PostgreSQL." >&2
        exit 1
    fi
    data=$(mktemp -d)
    as=()
    # PostgreSQL refuses to run as root.
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$data"
        as=(runuser -u postgres --)
    fi
    trap '"${as[@]}" "$bin/pg_ctl" --pgdata="$data/db" --mode=immediate stop >/dev/null 2>&1 || true; rm -rf "$data"' EXIT
    (cd "$data" && "${as[@]}" "$bin/initdb" --pgdata="$data/db" --username=scr --auth=trust --no-sync >/dev/null)
    # A socket only, so that no port is taken.
    (cd "$data" && "${as[@]}" "$bin/pg_ctl" --pgdata="$data/db" --wait --log="$data/log" \
        --options="-c listen_addresses='' -c unix_socket_directories=$data -c fsync=off" start >/dev/null) || {
        cat "$data/log" >&2
        exit 1
    }
    chmod 755 "$data"
    export DATABASE_URL="postgresql://scr@/postgres?host=$data"
    echo "api-test: on PostgreSQL of $bin"
fi

(cd apps/api && "$python" -m alembic upgrade head)
"$python" -m pytest -c ci/pyproject.toml --rootdir=. --cov=scr_api --cov-config=ci/pyproject.toml --cov-report=term ci/tests
