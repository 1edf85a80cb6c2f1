#!/bin/sh
# Run a command with AGENTP_TEST_DATABASE_URL naming a fresh PostgreSQL 15 on loopback, which ends with the command.
set -eu

programs="${POSTGRES_15:-/usr/lib/postgresql/15/bin}"
folder="$(mktemp -d)"
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    # Root's server is the system user's, who has to reach it.
    chown postgres "$folder"
    as_owner() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
fi
stop() {
    as_owner "$programs/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
cd /
as_owner "$programs/initdb" -D "$folder/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
as_owner "$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -w start >/dev/null \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200 -c random_page_cost=1.1 -c jit=off"
cd - >/dev/null
AGENTP_TEST_DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres" "$@"
