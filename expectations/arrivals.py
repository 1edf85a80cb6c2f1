"""When rows last came to the raw tables that carry a time of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from systems.registry import list_systems

WINDOW = "30 days"
"""Looked back from the present, by index: whoever wrote nothing for longer is told as having written nothing lately."""


def read_arrivals(connection: psycopg.Connection[Any], *, present: datetime) -> dict[str, datetime]:
    """Return the last moment up to ``present`` of each table's rows, by label, where there was one lately."""
    arrivals = {}
    clocks = [(system, table.name, table.clock) for system in list_systems() for table in system.tables if table.clock]
    for system, table, column in clocks:
        known = connection.execute(
            "select exists (select 1 from pg_attribute where attrelid = to_regclass(%s) and attname = %s "
            "and not attisdropped and atttypid = 'timestamptz'::regtype)",
            (f"{system.raw_schema}.{table}", column),
        ).fetchone()
        if not (known and known[0]):
            continue
        found = connection.execute(
            sql.SQL(
                "select max({column}) from {table} where {column} <= %(present)s "
                "and {column} > %(present)s - %(window)s::interval"
            ).format(column=sql.Identifier(column), table=sql.Identifier(system.raw_schema, table)),
            {"present": present, "window": WINDOW},
        ).fetchone()
        if found and found[0]:
            arrivals[system.prefix + table] = found[0]
    return arrivals
