"""Locks between processes: on files those of one machine, on tables of schema `build` those of one database.

A lock of a database is a lock on an empty table, not an advisory one: that any login could take, and keep for ever. A
table takes the rights of a builder. It goes with the session, however that ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq, sql

from agentp.database import open_connection
from agentp.errors import BuildError
from agentp.sessions import describe_holders

BUILDS = "builds"
"""The lock that one build, check, scoring or activation holds."""

_LOOK_AGAIN = "5s"
"""How long one waits for a lock before looking anew who has it."""

# The server may end what idles, and a session whose client is gone without a word has to be noticed. Not every server
# knows all of them: `transaction_timeout` is there from Postgres 17 on.
_KEEP_SESSION = """
select set_config(name, value, false)
from (values
    ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),
    ('transaction_timeout', '0'), ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'),
    ('tcp_keepalives_count', '3')
) as wanted (name, value)
where current_setting(name, true) is not null
"""


@contextmanager
def hold_file_lock(path: Path) -> Iterator[None]:
    """Hold the lock that the file stands for while the block runs; wait for whoever holds it, thread or process."""
    # flock goes with the process: a killed command leaves a file, never a lock.
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def hold_build_lock(
    url: str, *, purpose: str = "build", announce: Callable[[str], None] = lambda line: None
) -> Iterator[None]:
    """Hold the one lock under which marts are built; a second build waits for the first, and is told for whom.

    ``purpose`` is what the holder does, for whoever waits. Where the lock's session ended before the block did, another
    build may have worked beside it: that is a `BuildError`.
    """
    with open_connection(url, autocommit=True) as connection:
        take_lock(
            connection, BUILDS, purpose=purpose,
            on_wait=lambda holders: announce(f"Another build is at work on this database, {holders}; waiting …"),
        )  # fmt: skip
        yield
        if not is_lock_held(connection):
            raise BuildError(
                "The session that held the lock of builds ended before the work did: another build may have worked "
                "beside it.",
                cure="Run it again; the server's log says what ended that session.",
            )


def take_lock(
    connection: psycopg.Connection[Any], lock: str, *, purpose: str,
    on_wait: Callable[[str], None] = lambda holders: None,
) -> None:  # fmt: skip
    """Take a lock until the session ends, waiting as long as it takes; ``on_wait`` is told who has it, and who next.

    The connection is in autocommit mode and for the lock alone from now on: in a transaction that does nothing else,
    and so holds up no vacuum. Its application name is what others see of ``purpose``.
    """
    table = make_lock(connection, lock)
    began = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    connection.execute("select set_config('application_name', %s, false)", (f"agentp {purpose}, since {began} UTC",))
    connection.execute(_KEEP_SESSION)
    statement = sql.SQL("lock table {} in exclusive mode").format(table)
    told = None
    is_taken = _lock_in_time(connection, sql.SQL("{} nowait").format(statement))
    while not is_taken:
        holders = describe_holders(connection, relations=[table.as_string(connection)])
        if holders != told:
            on_wait(holders)
            told = holders
        is_taken = _lock_in_time(connection, statement)


def is_lock_held(connection: psycopg.Connection[Any]) -> bool:
    """Whether the session that took a lock is still there: a server that was restarted has forgotten it."""
    if connection.closed:
        return False
    try:
        connection.execute("select 1")
    except psycopg.Error:
        return False
    return connection.info.transaction_status == pq.TransactionStatus.INTRANS


def lock_until_commit(connection: psycopg.Connection[Any], lock: str, *, mode: str = "exclusive mode") -> None:
    """Take a lock in the connection's transaction; who waits for longer than the session does gets Postgres' error.

    ``mode`` is one of Postgres' table locks: several may have ``share mode`` at once, while nobody has ``exclusive
    mode``. With ``nowait`` behind it the error comes at once.
    """
    table = make_lock(connection, lock)
    connection.execute(sql.SQL("lock table {} in {}").format(table, sql.SQL(mode)))


def make_lock(connection: psycopg.Connection[Any], lock: str) -> sql.Identifier:
    """Return the table that the lock is on; made where it is not there yet."""
    table = sql.Identifier("build", f"lock_{lock}")
    row = connection.execute(
        "select to_regclass(%s) is not null, "
        "(select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'build')",
        (table.as_string(connection),),
    ).fetchone()
    is_there, owner = row or (False, None)
    if is_there:
        return table
    # Two who make it at once are told so in one of several ways; then it is there.
    taken = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable, psycopg.errors.DuplicateSchema)
    if owner is None:
        with suppress(*taken), connection.transaction():
            connection.execute("create schema build")
    with suppress(*taken, psycopg.errors.DuplicateObject), connection.transaction():
        connection.execute(sql.SQL("create table {} ()").format(table))
        if owner is not None:
            # Whoever makes it, builders take it.
            connection.execute(sql.SQL("grant all on {} to {}").format(table, sql.Identifier(owner)))
    return table


def _lock_in_time(connection: psycopg.Connection[Any], statement: sql.Composed) -> bool:
    """Begin a transaction that holds the lock; where it is not to be had in time, none is begun."""
    # A snapshot that lasts as long as the lock would keep rows from being vacuumed.
    connection.execute("begin isolation level read committed")
    try:
        connection.execute("select set_config('lock_timeout', %s, true)", (_LOOK_AGAIN,))
        connection.execute(statement)
    except psycopg.errors.LockNotAvailable:
        connection.execute("rollback")
        return False
    return True
