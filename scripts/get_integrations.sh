#!/bin/sh
# Makes sure that there are PgBouncer and PostgreSQL 15 for `make test-integrations`. Does nothing where they are.
set -eu

if command -v pgbouncer >/dev/null 2>&1 && [ -x "${POSTGRES_15:-/usr/lib/postgresql/15/bin}/initdb" ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    log="$(mktemp)"
    echo "Installing pgbouncer and postgresql-15, which the tests of integrations need."
    # No cluster of its own: the tests start one where they work.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        pgbouncer postgresql-15 postgresql-contrib; } >"$log" 2>&1
    then
        rm "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
fi
echo "The tests of integrations need PgBouncer and PostgreSQL 15 (POSTGRES_15 names the folder of its programs)." >&2
exit 1
