"""Schemas that the project keeps for itself: made once from a file, and again when the file says something else."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from agentp.locks import lock_until_commit
from agentp.sessions import describe_holders, explain_blocked

SCHEMA_LOCK = "schemas"
"""The lock under which schemas are made."""

_LOCKING = re.compile(
    r"^create (?:or replace view|index if not exists|unique index if not exists) .*?;\n", re.DOTALL | re.MULTILINE
)
_INDEX = re.compile(r"create (?:unique )?index if not exists (?P<name>\w+)\s+on (?P<schema>\w+)\.")
_VIEW = re.compile(r"create or replace view (?P<name>\S+) with \((?P<option>[^)]*)\) as\n(?P<query>.*?);\n", re.DOTALL)
_TURN = 0.25
"""Seconds that one wait for a lock lasts: whoever comes later waits no longer behind it."""


def prepare_schema(
    connection: psycopg.Connection[Any], schema: str, *, package: str, relations: tuple[str, ...] = (),
    marked_on: str | None = None,
) -> None:  # fmt: skip
    """Make a schema what ``store.sql`` of the package says; commits.

    Where it is that already, and the relations are there, nothing is touched. The comment of the schema tells, or, for
    who shares it with another room, that of a table of theirs. Of the file, indexes that are there and views that stand
    as it says are left out: making them again would lock them first, or what they are on.
    """
    statements = files(package).joinpath("store.sql").read_text(encoding="utf-8")
    version = f"agentp {schema} {hashlib.sha256(statements.encode()).hexdigest()[:16]}"
    found = connection.execute(
        "select case when %(table)s::text is null then obj_description(to_regnamespace(%(schema)s), 'pg_namespace') "
        "else obj_description(to_regclass(%(table)s), 'pg_class') end, "
        "(select count(*) from unnest(%(relations)s::text[]) as name where to_regclass(name) is not null)",
        {"schema": schema, "table": marked_on, "relations": list(relations)},
    ).fetchone()
    if found == (version, len(relations)):
        return
    place = sql.SQL("table {}").format(sql.Identifier(*marked_on.split("."))) if marked_on else sql.SQL(
        "schema {}"
    ).format(sql.Identifier(schema))  # fmt: skip

    def make() -> None:
        # Two at a time would each make what the other is making.
        lock_until_commit(connection, SCHEMA_LOCK)
        connection.execute("set local client_min_messages = warning")
        for statement in _split_where_locked(statements):
            if not _stands(connection, statement):
                connection.execute(statement.encode())
        connection.execute(sql.SQL("comment on {} is {}").format(place, sql.Literal(version)))

    change_in_turns(connection, make, schemas=[schema])
    connection.commit()


def change_in_turns(connection: psycopg.Connection[Any], change: Callable[[], None], *, schemas: list[str]) -> None:
    """Make a change in one transaction, which waits for no lock longer than a moment and is begun anew instead.

    So readers never wait long behind it. After as long as the session waits for a lock it fails as that would, and says
    who holds relations of the schemas.
    """
    row = connection.execute("select extract(epoch from current_setting('lock_timeout')::interval)").fetchone()
    longest = float(row[0]) if row else 0.0
    begun = time.monotonic()
    while True:
        try:
            with connection.transaction():
                if not 0 < longest <= _TURN:
                    connection.execute("select set_config('lock_timeout', %s, true)", (f"{round(_TURN * 1000)}ms",))
                change()
            return
        except psycopg.errors.LockNotAvailable as error:
            if 0 < longest <= time.monotonic() - begun:
                holders = describe_holders(connection, schemas=schemas, relations=[f"build.lock_{SCHEMA_LOCK}"])
                raise explain_blocked(f"Schema {', '.join(schemas)}", error, holders) from error
            time.sleep(_TURN)


def _split_where_locked(statements: str) -> list[str]:
    """Return the statements of a file in order, those alone that lock what they find before they look at it."""
    parts, last = [], 0
    for found in _LOCKING.finditer(statements):
        parts += [statements[last : found.start()], found[0]]
        last = found.end()
    return [part for part in [*parts, statements[last:]] if part.strip()]


def _stands(connection: psycopg.Connection[Any], statement: str) -> bool:
    """Whether an index is there, or a view as Postgres prints it; of other statements nobody knows."""
    index = _INDEX.match(statement)
    if index is not None:
        return _exists(connection, f"{index['schema']}.{index['name']}")
    view = _VIEW.fullmatch(statement)
    if view is None or not _exists(connection, view["name"]):
        return False
    connection.execute(
        sql.SQL("create temporary view agentp_wanted with ({}) as {}").format(
            sql.SQL(view["option"]), sql.SQL(view["query"])
        )
    )
    same = connection.execute(
        "select count(distinct (pg_get_viewdef(oid), reloptions)) = 1 from pg_class "
        "where oid in (to_regclass(%s), to_regclass('pg_temp.agentp_wanted'))",
        (view["name"],),
    ).fetchone()
    connection.execute("drop view pg_temp.agentp_wanted")
    return bool(same and same[0])


def _exists(connection: psycopg.Connection[Any], name: str) -> bool:
    found = connection.execute("select to_regclass(%s) is not null", (name,)).fetchone()
    return bool(found and found[0])
