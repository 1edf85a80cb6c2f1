"""Holding a lock on all that readers read, as an open transaction of theirs would, and stronger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.support.marts import Workshop

# What readers read, and what that reads: marts, views, raw tables, and who may read what. The gate's own queue and
# scratch tables are nobody's to read.
READ = """
select nspname, relname
from pg_class
inner join pg_namespace on relnamespace = pg_namespace.oid
where
    relkind in ('r', 'v')
    and nspname in (
        'dashboard', 'live', 'analysis', 'intermediate', 'staging', 'access', 'quality', 'scoring', 'public'
    )
    and relname not like 'scratch\\_%%' and relname <> 'claimed_clients'
order by 1, 2
"""


@contextmanager
def hold_everything(workshop: Workshop, mode: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold a lock on all that readers read, and on what that reads, as an open transaction of theirs would."""
    with psycopg.connect(workshop.url) as holder:
        holder.execute("set idle_in_transaction_session_timeout = '120s'")
        found = holder.execute(READ).fetchall()
        assert len(found) > 80
        for schema, name in found:
            holder.execute(
                sql.SQL("lock table {} in {} mode").format(sql.Identifier(str(schema), str(name)), sql.SQL(mode))
            )
        yield holder
