"""Schemas that the project keeps for itself: made once from a file, and again when the file says something else."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

SCHEMA_LOCK = 7_203_715_005
"""The advisory lock under which schemas are made."""


def prepare_schema(
    connection: psycopg.Connection[Any], schema: str, *, package: str, relations: tuple[str, ...] = (),
    marked_on: str | None = None,
) -> None:  # fmt: skip
    """Make a schema what ``store.sql`` of the package says; commits.

    Where it is that already, and the relations are there, nothing is touched: replacing a view would wait for everybody
    who reads it. The comment of the schema tells, or, for who shares it with another room, that of a table of theirs.
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
    with connection.transaction():
        # Two at a time would each make what the other is making.
        connection.execute("select pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        connection.execute("set local client_min_messages = warning")
        connection.execute(statements.encode())
        connection.execute(sql.SQL("comment on {} is {}").format(place, sql.Literal(version)))
    connection.commit()
