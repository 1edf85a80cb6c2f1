"""Sessions of a server, ours and others': whether one is ours alone, and who holds what stands in our way."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Callable, Collection
from contextlib import closing
from typing import Any

import psycopg
from psycopg import pq

from agentp.errors import SetupError
from agentp.redaction import scrub

LISTED = 3
"""So many holders are named, those of the oldest transactions."""
_PATIENCE = 5.0
"""Seconds in which a pooler in transaction mode gives a second connection the session that the first one lets go."""

# What others do, and since when, Postgres shows members of pg_read_all_stats and of the same role.
_FIND_HOLDERS = """
select
    locks.pid,
    coalesce(activity.usename::text, 'nobody that is known'),
    nullif(activity.application_name, ''),
    activity.xact_start,
    activity.state,
    case when activity.query not like '<%%' then activity.query end,
    array_agg(distinct locks.relation::regclass::text),
    prepared.gid
from pg_locks as locks
left join pg_stat_activity as activity on locks.pid = activity.pid
-- A prepared transaction has no process, and holds what it holds until somebody ends it.
left join pg_locks as identities
    on
        locks.pid is null and identities.pid is null and identities.locktype = 'transactionid'
        and locks.virtualtransaction = identities.virtualtransaction
left join pg_prepared_xacts as prepared on identities.transactionid = prepared.transaction
inner join pg_class on locks.relation = pg_class.oid
where
    locks.locktype = 'relation' and locks.granted and locks.pid is distinct from pg_backend_pid()
    and locks.database = (select oid from pg_database where datname = current_database())
    and pg_class.relkind in ('r', 'v', 'p', 'm')
    and (
        locks.relation in (select to_regclass(name)::oid from unnest(%(relations)s::text[]) as name)
        or (
            pg_class.relnamespace in (select to_regnamespace(name)::oid from unnest(%(schemas)s::text[]) as name)
            -- What stands for a lock (agentp/locks.py) is asked for by name: of builds we hold that ourselves.
            and pg_class.relname not like 'lock\\_%%'
        )
    )
group by 1, 2, 3, 4, 5, 6, 8
order by activity.xact_start nulls last, locks.pid
"""

# Open ones, too: Postgres cuts long statements off.
_PARTS = re.compile(
    r"""(?P<name>"(?:[^"]|"")*"?)|(?P<comment>--[^\n]*|/\*.*?(?:\*/|$))"""
    r"""|\b[eE]'(?:[^'\\]|''|\\.)*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)""",
    re.DOTALL,
)


def describe_holders(
    connection: psycopg.Connection[Any], *, relations: Collection[str] = (), schemas: Collection[str] = ()
) -> str:
    """Return who else holds locks on the relations: pid, login, since when, what it does, and how to end it.

    Of statements no constants are shown: they may be people's.
    """
    rows = connection.execute(_FIND_HOLDERS, {"relations": list(relations), "schemas": list(schemas)}).fetchall()
    if not rows:
        return "nobody holds it any more"
    told = [_describe(*row) for row in rows[:LISTED]]
    more = f" and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
    return f"held by {'; '.join(told)}{more} (to end one: select pg_terminate_backend(PID))"


def _describe(
    pid: int | None, login: str, application: str | None, since: Any, state: str | None, query: str | None,
    places: list[str], prepared: str | None,
) -> str:  # fmt: skip
    if pid is None:
        ended = f", ended by: rollback prepared '{prepared}'" if prepared else ""
        return f"a prepared transaction on {', '.join(places[:2])}{ended}"
    text = f"pid {pid} of {login}" + (f" ({scrub(application)})" if application else "")
    text += f" on {', '.join(places[:2])}" + (" and others" if len(places) > 2 else "")
    if since is not None:
        text += f", since {since:%Y-%m-%d %H:%M:%S %Z}"
    if query:
        text += f", {'now idle after' if (state or '').startswith('idle') else 'at'}: {shorten_query(query)}"
    return text


def explain_blocked(what: str, error: psycopg.Error, holders: str) -> SetupError:
    """Tell that a lock was not to be had, and who stands in the way."""
    return SetupError(
        f"{what} cannot be changed now: {error.diag.message_primary}; {holders}.",
        cure="Let that session end its transaction, or end it, and run this again; nothing was changed.",
    )


def shorten_query(query: str) -> str:
    """Return the beginning of a statement without constants and comments, in one line."""
    # Part by part: a comment's quote opens nothing, nor does what a name or a constant holds.
    bare = _PARTS.sub(lambda part: part["name"] or (" " if part["comment"] else "'…'"), query)
    line = scrub(" ".join(bare.split()))
    return line if len(line) <= 80 else f"{line[:80]}…"


def is_shared(connection: psycopg.Connection[Any], connect: Callable[[], psycopg.Connection[Any]]) -> bool:
    """Whether the connection's session is handed to others between its transactions, as poolers in transaction mode do.

    A server tells the client which process serves it; where another one answers, something stands between. Then a
    second connection begins a transaction: it is given the session that the first has let go, or the first another.
    """
    backend = ask_backend(connection)
    if backend == connection.info.backend_pid:
        return False
    with closing(connect()) as second:
        try:
            other = _begin_in_time(second)
        except psycopg.OperationalError:
            # In statement mode whoever begins a transaction is cut off.
            return True
        return other == backend or ask_backend(connection) != backend


def ask_backend(connection: psycopg.Connection[Any]) -> int:
    """Return the process of the server that answers on the connection at this moment."""
    row = connection.execute("select pg_backend_pid()").fetchone()
    assert row is not None, "a function is one row"
    return int(row[0])


def _begin_in_time(connection: psycopg.Connection[Any]) -> int | None:
    """Begin a transaction and return who serves it; None where no session is to be had.

    A pooler in session mode that has none left lets the connection wait, which says that it hands none on.
    """
    pgconn = connection.pgconn
    pgconn.send_query(b"begin; select pg_backend_pid()")
    deadline = time.monotonic() + _PATIENCE
    backend: int | None = None
    while True:
        while pgconn.is_busy():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pgconn.socket], [], [], left)[0]:
                return None
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            return backend
        if result.status == pq.ExecStatus.TUPLES_OK:
            value = result.get_value(0, 0)
            backend = int(value) if value is not None else None
