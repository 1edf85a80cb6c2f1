"""Raw tables without the constraints that keep bad rows out, as somebody else's database may have them."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from tests.expectations.tables import TABLES


def drop_constraints(connection: psycopg.Connection[Any]) -> None:
    """Drop foreign keys, unique, check and NOT NULL constraints of all raw tables; only their own ids stay keys.

    What is remembered has no id but its client's, so its primary key goes as well.
    """
    constraints = connection.execute(
        "select conrelid::regclass::text, conname from pg_constraint "
        "where conrelid = any(%s::regclass[]) and (contype in ('f', 'u', 'c') or conname = 'user_ltm_v2_pkey') "
        "order by contype <> 'f'",
        (list(TABLES.values()),),
    ).fetchall()
    for table, name in constraints:
        _alter(connection, table, sql.SQL("drop constraint {}").format(sql.Identifier(name)))
    required = connection.execute(
        "select attrelid::regclass::text, attname from pg_attribute "
        "where attrelid = any(%s::regclass[]) and attnum > 0 and attnotnull and not exists ("
        "select 1 from pg_index where indrelid = attrelid and indisprimary and attnum = any(indkey))",
        (list(TABLES.values()),),
    ).fetchall()
    for table, column in required:
        _alter(connection, table, sql.SQL("alter column {} drop not null").format(sql.Identifier(column)))


def _alter(connection: psycopg.Connection[Any], table: str, change: sql.Composable) -> None:
    connection.execute(sql.SQL("alter table {} {}").format(sql.Identifier(table), change))
