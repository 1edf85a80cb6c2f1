"""What Postgres itself keeps of values: the most common ones and those between, by column (`pg_statistic`)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from access.nobodies import ALL_TABLES
from access.traces import QUEUES


def renew_statistics(connection: psycopg.Connection[Any], changed: Iterable[str]) -> None:
    """Look anew at the raw tables, the queues and the changed relations (`schema.name`); no old value is left. Commits.

    A table that has become empty is one that `analyze` passes over: what was known of it is cleared. Below Postgres 18
    that takes a superuser, or a table that no view reads.
    """
    names = list(dict.fromkeys([*(f"public.{table}" for table, _, _ in ALL_TABLES), *changed]))
    # What processes lock (agentp/locks.py) has no columns, and somebody has it.
    tables = connection.execute(
        "select nspname::text, relname::text, pg_class.oid from pg_class "
        "join pg_namespace on pg_namespace.oid = relnamespace where relkind in ('r', 'p') and relnatts > 0 "
        "and (nspname = any(%s) or format('%%s.%%s', nspname, relname) = any(%s)) order by 1, 2",
        (list(QUEUES), names),
    ).fetchall()
    for schema, name, oid in tables:
        place = sql.Identifier(schema, name)
        connection.execute(sql.SQL("analyze {}").format(place))
        row = connection.execute(sql.SQL("select not exists (select from {})").format(place)).fetchone()
        if row and row[0]:
            _clear(connection, schema, name, oid)
    connection.commit()


def _clear(connection: psycopg.Connection[Any], schema: str, name: str, oid: int) -> None:
    columns = connection.execute(
        "select attname::text, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = %s and attnum > 0 and not attisdropped",
        (oid,),
    ).fetchall()
    if connection.info.server_version >= 180_000:
        for column, _ in columns:
            connection.execute("select pg_clear_attribute_stats(%s, %s, %s, false)", (schema, name, column))
    elif connection.info.parameter_status("is_superuser") == "on":
        connection.execute("delete from pg_statistic where starelid = %s", (oid,))
    else:
        # A column that is given its type forgets what was known of it; one that a view reads is given none.
        with (
            suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege),
            connection.transaction(),
        ):
            for column, data_type in columns:
                connection.execute(
                    sql.SQL("alter table {} alter column {} type {}").format(
                        sql.Identifier(schema, name), sql.Identifier(column), sql.SQL(data_type)
                    )
                )
