"""Schemas that the project keeps for itself: made once from a file, and again when the file says something else."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql


def prepare_schema(
    connection: psycopg.Connection[Any], schema: str, *, package: str, relations: tuple[str, ...] = ()
) -> None:
    """Make a schema what ``store.sql`` of the package says; commits.

    Where it is that already (the schema's comment tells), and the relations are there, nothing is touched: replacing a
    view would wait for everybody who reads it.
    """
    statements = files(package).joinpath("store.sql").read_text(encoding="utf-8")
    version = f"agentp {schema} {hashlib.sha256(statements.encode()).hexdigest()[:16]}"
    found = connection.execute(
        "select obj_description(to_regnamespace(%s), 'pg_namespace'), "
        "(select count(*) from unnest(%s::text[]) as name where to_regclass(name) is not null)",
        (schema, list(relations)),
    ).fetchone()
    if found == (version, len(relations)):
        return
    connection.execute("set client_min_messages = warning")
    connection.execute(statements.encode())
    connection.execute(sql.SQL("comment on schema {} is {}").format(sql.Identifier(schema), sql.Literal(version)))
    connection.execute("reset client_min_messages")
    connection.commit()
