"""The raw tables that builds read, as the first migration declares them: the DDL has no second copy."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from agentp.errors import RawTablesError
from sources.migrations import LEGACY, list_migrations


def declare_raw_columns() -> dict[str, list[str]]:
    """Return every raw table's columns in the legacy shape, which is the least that a build needs."""
    sql = next(migration.sql for migration in list_migrations() if migration.name == LEGACY)
    tables = re.findall(r"create table if not exists public\.(\w+) \((.*?)\n\);", sql, flags=re.DOTALL)
    return {name: re.findall(r"^    (\w+) ", body, flags=re.MULTILINE) for name, body in tables}


def find_missing_columns(connection: psycopg.Connection[Any]) -> list[str]:
    """Return `table` or `table.column` for everything a build needs and the database lacks."""
    rows = connection.execute(
        "select c.relname, a.attname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "join pg_attribute as a on a.attrelid = c.oid "
        "where n.nspname = 'public' and a.attnum > 0 and not a.attisdropped"
    ).fetchall()
    present: dict[str, set[str]] = {}
    for table, column in rows:
        present.setdefault(table, set()).add(column)
    missing = []
    for table, columns in declare_raw_columns().items():
        if table not in present:
            missing.append(table)
        else:
            missing += [f"{table}.{column}" for column in columns if column not in present[table]]
    return missing


def has_no_raw_tables(connection: psycopg.Connection[Any]) -> bool:
    """Whether not one raw table is there: a database that nobody has used yet."""
    return find_missing_columns(connection) == list(declare_raw_columns())


def require_raw_tables(connection: psycopg.Connection[Any]) -> None:
    """Refuse to build where a raw table or column is missing, before any mart is touched."""
    missing = find_missing_columns(connection)
    if missing:
        tables = [name for name in missing if "." not in name]
        cure = (
            "Run `agentp migrate`, which makes missing tables."
            if tables
            else ("Restore the column (it belongs to the data standard), or restore the name it had.")
        )
        raise RawTablesError(f"The raw data lacks {', '.join(missing[:8])}.", cure=cure)
