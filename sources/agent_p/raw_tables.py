"""The raw tables as the migrations declare them (the DDL has no second copy), and as a database has them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg

from agentp.errors import RawTablesError
from sources.agent_p.change_tracking import BUILT_FROM
from sources.migrations import LEGACY, list_migrations

POSTGRES_NAMES = {
    "int8": "bigint",
    "int4": "integer",
    "int2": "smallint",
    "bool": "boolean",
    "float8": "double precision",
}
"""What the catalog calls types otherwise than people do."""


TEXT_TYPES = ("text", "varchar", "bpchar")
"""Types that hold a text: one is as good as another."""


@dataclass(frozen=True)
class RawColumn:
    """One column of a raw table: its Postgres type, and whether a build needs it (the legacy shape has it)."""

    name: str
    type: str
    is_needed: bool


@cache
def declare_raw_tables() -> dict[str, dict[str, RawColumn]]:
    """Return every raw table's columns in the standard's shape, by name."""
    tables: dict[str, dict[str, RawColumn]] = {}
    for migration in list_migrations():
        for table, body in re.findall(
            r"create table if not exists public\.(\w+) \((.*?)\n\);", migration.sql, flags=re.DOTALL
        ):
            for name, data_type in re.findall(r"^    (\w+) (\w+)", body, flags=re.MULTILINE):
                tables.setdefault(table, {})[name] = RawColumn(
                    name, data_type.replace("bigserial", "bigint"), is_needed=migration.name == LEGACY
                )
        for table, body in re.findall(r"alter table public\.(\w+)\s+(add column.*?);", migration.sql, flags=re.DOTALL):
            for name, data_type in re.findall(r"add column (?:if not exists )?(\w+) (\w+)", body):
                tables[table][name] = RawColumn(name, data_type, is_needed=False)
    return tables


def declare_raw_columns() -> dict[str, list[str]]:
    """Return every raw table's columns in the legacy shape, which is the least that a build needs."""
    return {
        table: [column.name for column in columns.values() if column.is_needed]
        for table, columns in declare_raw_tables().items()
    }


def read_raw_types(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """Return the columns of every relation in schema `public` with their types, as the database has them."""
    rows = connection.execute(
        "select c.relname, a.attname, t.typname::text from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid "
        "join pg_type as t on t.oid = a.atttypid "
        "where n.nspname = 'public' and c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped "
        "order by c.relname, a.attnum"
    ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for table, column, data_type in rows:
        types.setdefault(table, {})[column] = POSTGRES_NAMES.get(data_type, data_type)
    return types


def find_missing_columns(connection: psycopg.Connection[Any]) -> list[str]:
    """Return `table` or `table.column` for everything a build needs and the database lacks."""
    present = read_raw_types(connection)
    missing = []
    for table, columns in declare_raw_columns().items():
        if table not in present:
            missing.append(table)
        else:
            missing += [f"{table}.{column}" for column in columns if column not in present[table]]
    return missing


def find_missing_tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the raw tables that the database has not got."""
    return [name for name in find_missing_columns(connection) if "." not in name]


@dataclass(frozen=True)
class RetypedColumn:
    """A column whose type is another than the standard's: no model can read it."""

    table: str
    column: str
    is_type: str
    should_be: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} is {self.is_type} and should be {self.should_be}"

    @property
    def cure(self) -> str:
        """What its owner does about it; text that is no such value makes it fail, and nothing is changed then."""
        return (
            f"Restore the type: alter table public.{self.table} alter column {self.column} type {self.should_be} "
            f"using {self.column}::text::{self.should_be}. Views of others on it have to go first."
        )


def is_same_type(found: str, declared: str) -> bool:
    """Whether models read the one as they do the other."""
    return found == declared or {found, declared} <= set(TEXT_TYPES)


def find_retyped_columns(connection: psycopg.Connection[Any]) -> list[RetypedColumn]:
    """Return the columns whose type is not the declared one; those that are missing are told of elsewhere."""
    present = read_raw_types(connection)
    return [
        RetypedColumn(table, column.name, present[table][column.name], column.type)
        for table, columns in declare_raw_tables().items()
        for column in columns.values()
        if column.name in present.get(table, {}) and not is_same_type(present[table][column.name], column.type)
    ]


def require_raw_types(connection: psycopg.Connection[Any], *, without: Collection[str] = ()) -> None:
    """Refuse to work where a raw column has another type than the standard's; raises `RawTablesError`."""
    retyped = [column for column in find_retyped_columns(connection) if column.table not in without]
    if retyped:
        raise RawTablesError(
            f"The raw data has other types than the standard: {'; '.join(map(str, retyped[:8]))}.", cure=retyped[0].cure
        )


def has_no_raw_tables(connection: psycopg.Connection[Any]) -> bool:
    """Whether not one raw table is there: a database that nobody has used yet.

    A table that is only called like one, and has not even half of its columns, is somebody else's.
    """
    present = read_raw_types(connection)
    return not any(
        2 * len(present.get(table, {}).keys() & set(columns)) >= len(columns)
        for table, columns in declare_raw_columns().items()
    )


def require_raw_tables(connection: psycopg.Connection[Any], *, without: Collection[str] = ()) -> None:
    """Refuse to build where a raw table or column is missing or of another type, before any mart is touched.

    ``without`` are tables of which nothing is to be built. Those that tell which clients changed have to be there.
    """
    missing = [
        name for name in find_missing_columns(connection) if name.split(".")[0] not in without or name in BUILT_FROM
    ]
    if missing:
        tables = [name for name in missing if "." not in name]
        cure = (
            "Restore what was lost; a table that never was there is made, empty, by `agentp migrate`."
            if tables
            else ("Restore the column (it belongs to the data standard), or restore the name it had.")
        )
        raise RawTablesError(f"The raw data lacks {', '.join(missing[:8])}.", cure=cure)
    require_raw_types(connection, without=without)


def require_some_raw_table(connection: psycopg.Connection[Any]) -> None:
    """Refuse a database that nobody has used yet, or that is another product's."""
    if has_no_raw_tables(connection):
        info = connection.info
        raise RawTablesError(
            f"The database {info.dbname} at {info.host}:{info.port} has none of the raw tables "
            f"({', '.join(declare_raw_tables())}): is it the right one?",
            cure="Correct AGENTP_DATABASE_URL. A database that is to hold them gets them by `agentp migrate --create`, "
            "`agentp load FOLDER` or `agentp demo`.",
        )


def owns_raw_tables(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the login may alter the raw tables that there are; of none it may make them."""
    row = connection.execute(
        "select coalesce(bool_and(pg_has_role(current_user, relowner, 'usage')), true) from pg_class "
        "where relnamespace = 'public'::regnamespace and relname = any(%s)",
        (list(declare_raw_tables()),),
    ).fetchone()
    return bool(row and row[0])
