#!/usr/bin/env bash
# The tests of the API and of the AI gateway on PostgreSQL and Redis: those of DATABASE_URL and REDIS_URL, or servers of
# their own, on sockets in a folder that ends with the tests. POSTGRES_BIN names a folder with initdb, pg_ctl and postgres.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath -s "${1:?the interpreter}")

missing() {
    echo "api-test: $1 is not available. Set $2, or install it ($3)." >&2
    exit 1
}

newest_postgres() {
    { find /usr/lib/postgresql /usr/local/lib/postgresql /opt/homebrew/opt /usr/local/bin /usr/bin -maxdepth 3 -name initdb \
        2>/dev/null || true; } | while read -r initdb; do
        echo "$("$initdb" --version | grep -o '[0-9.]*' | head -n 1) $(dirname "$initdb")"
    done | sort -V | tail -n 1 | cut -d' ' -f2-
}

data='' bin='' as=()
finish() {
    [ -z "$bin" ] || "${as[@]}" "$bin/pg_ctl" --pgdata="$data/db" --mode=immediate stop >/dev/null 2>&1 || true
    if redis=$(cat "$data/redis.pid" 2>/dev/null) && kill "$redis" 2>/dev/null; then
        for _ in {1..100}; do
            kill -0 "$redis" 2>/dev/null || break
            sleep 0.05
        done
    fi
    [ -z "$data" ] || rm -rf "$data"
}
trap finish EXIT
# Short, whatever TMPDIR is: a socket's path has a hundred characters at most.
data=$(mktemp -d /tmp/scr-test.XXXXXX)
chmod 755 "$data"

if [ -z "${DATABASE_URL:-}" ]; then
    found=${POSTGRES_BIN:-$(newest_postgres)}
    [ -x "$found/initdb" ] ||
        missing "PostgreSQL${POSTGRES_BIN:+ in $POSTGRES_BIN}" DATABASE_URL=postgresql://user:password@host/name postgresql-16
    # PostgreSQL refuses to run as root.
    if [ "$(id -u)" = 0 ]; then
        user=$(id -un postgres 2>/dev/null || echo nobody)
        as=(runuser -u "$user" --)
        chown "$user" "$data"
    fi
    bin=$found
    (cd "$data" && "${as[@]}" "$bin/initdb" --pgdata="$data/db" --username=scr --auth=trust --no-sync \
        --encoding=UTF8 --locale=C >"$data/initdb.log" 2>&1 &&
        "${as[@]}" "$bin/pg_ctl" --pgdata="$data/db" --wait --log="$data/log" \
            --options="-c listen_addresses='' -c unix_socket_directories=$data -c fsync=off" start >/dev/null) || {
        cat "$data"/{initdb.,}log >&2 || true
        echo "api-test: PostgreSQL in $bin does not start; see above" >&2
        exit 1
    }
    export DATABASE_URL="postgresql://scr@/postgres?host=$data"
    echo "api-test: using $("$bin/postgres" --version) in $bin"
fi

if [ -z "${REDIS_URL:-}" ]; then
    server=$(command -v redis-server) || missing Redis REDIS_URL=redis://host:6379/0 redis-server
    "$server" --port 0 --unixsocket "$data/redis.sock" --save '' --appendonly no --dir "$data" --logfile redis.log \
        --daemonize yes --pidfile "$data/redis.pid" >/dev/null
    for _ in {1..100}; do
        [ ! -S "$data/redis.sock" ] || break
        sleep 0.05
    done
    [ -S "$data/redis.sock" ] || {
        cat "$data/redis.log" >&2
        echo "api-test: $server does not start; see above" >&2
        exit 1
    }
    export REDIS_URL="unix://$data/redis.sock"
    echo "api-test: using $("$server" --version | cut -d' ' -f1-3) in $server"
fi

# What DATABASE_URL names is left as it is: each test migrates a database of its own on that server.
"$python" -m pytest -c ci/pyproject.toml --rootdir=. --cov=scr_api --cov=scr_ai_gateway --cov-config=ci/pyproject.toml \
    --cov-report=term ci/tests
