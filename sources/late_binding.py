"""The raw tables as views in schema `staging`, of the columns that the standard declares, which bind those late.

A view has its table's name, behind the system's prefix.

A view that reads a column keeps it from being altered or dropped. These read rows as a whole, and take the columns out
of them by functions whose bodies are text: Postgres notes no dependency, and puts the column in the place of the
function when it plans a query, so that indexes and statistics are used as if it stood there. So bots alter their tables
as they like. A column that is not there is empty; that it should be there is for the check to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from agentp.schemas import change_in_turns
from sources.raw_tables import read_raw_columns
from sources.types import qualify_type
from systems.registry import list_systems
from systems.system import RawColumn, System

SCHEMA = "staging"
OPTION = "security_invoker=false"

_READ_BODIES = """
select pg_type.typname::text, array_agg(proname || ' ' || prosrc)
from pg_proc inner join pg_type on pg_proc.proargtypes[0] = pg_type.oid
where
    pronamespace = to_regnamespace(%(schema)s) and pronargs = 1 and pg_type.typnamespace = to_regnamespace(%(raw)s)
group by 1
"""

_READ_VIEWS = """
select relname::text, array_agg(attname::text order by attnum), coalesce(reloptions, '{}')
from pg_class inner join pg_attribute on pg_class.oid = attrelid
where relnamespace = to_regnamespace(%(schema)s) and relkind = 'v' and attnum > 0 and not attisdropped
group by pg_class.oid
"""


def prepare_raw_views(connection: psycopg.Connection[Any]) -> None:
    """Make the views of the raw tables that there are, and what they read columns by; alters what differs."""
    for system in list_systems():
        _prepare_views(connection, system)


def _prepare_views(connection: psycopg.Connection[Any], system: System) -> None:
    present = read_raw_columns(connection, system.raw_schema)
    names = {"schema": SCHEMA, "raw": system.raw_schema}
    bodies = dict(connection.execute(_READ_BODIES, names).fetchall())
    shown = {table: found for table, *found in connection.execute(_READ_VIEWS, names).fetchall()}
    for table, declared in system.columns.items():
        if table not in present:
            continue
        raw = (system.raw_schema, table)
        columns = {column: _write_body(column, present[table]) for column in declared.values()}
        wanted = {f"{column.name} {body}" for column, body in columns.items()}
        if not wanted <= set(bodies.get(table, ())):
            change_in_turns(connection, partial(_put_functions, connection, raw, columns), schemas=[SCHEMA])
        view = f"{system.prefix}{table}"
        if shown.get(view) != [list(declared), [OPTION]]:
            change_in_turns(connection, partial(_put_view, connection, raw, view, list(declared)), schemas=[SCHEMA])


def list_bodies() -> list[str]:
    """Return the body of every function that this may make, of columns that are there or not."""
    columns = {
        column for system in list_systems() for declared in system.columns.values() for column in declared.values()
    }
    return sorted({_write_body(column, present) for column in columns for present in ({}, {column.name: column})})


def _write_body(column: RawColumn, present: Mapping[str, RawColumn]) -> str:
    name = f'raw_row."{column.name}"' if column.name in present else "null"
    return f"select {name}::{qualify_type(column.base_type)}"


def _put_functions(connection: psycopg.Connection[Any], raw: tuple[str, str], columns: dict[RawColumn, str]) -> None:
    # What a column cannot be read as is for the check to say, which knows whose fault it is.
    connection.execute("set local check_function_bodies = off")
    schema = connection.execute("select to_regnamespace(%s) is not null", (SCHEMA,)).fetchone()
    if not (schema and schema[0]):
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
    for column, body in columns.items():
        function = sql.SQL("function {}({})").format(sql.Identifier(SCHEMA, column.name), sql.Identifier(*raw))
        definition = "create or replace function {}(raw_row {}) returns {} language sql stable parallel safe as {}"
        connection.execute(
            sql.SQL(definition).format(
                sql.Identifier(SCHEMA, column.name), sql.Identifier(*raw),
                sql.SQL(qualify_type(column.base_type)), sql.Literal(body),
            )
        )  # fmt: skip
        # It is called by whoever reads a live view, and gives nobody more than the row that it is given.
        connection.execute(sql.SQL("grant execute on {} to public").format(function))


def _put_view(connection: psycopg.Connection[Any], raw: tuple[str, str], view: str, columns: list[str]) -> None:
    connection.execute(
        # With the owner's rights, and nobody else has any on it: else Postgres would ask who reads a live view for a
        # right on the raw table, whatever stands in between.
        sql.SQL("create or replace view {} with ({}) as select {} from {} as raw_row").format(
            sql.Identifier(SCHEMA, view),
            sql.SQL(OPTION),
            sql.SQL(", ").join(
                sql.SQL("{}(raw_row) as {}").format(sql.Identifier(SCHEMA, name), sql.Identifier(name))
                for name in columns
            ),
            sql.Identifier(*raw),
        )
    )
