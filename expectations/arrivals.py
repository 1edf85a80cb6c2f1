"""When rows last came to the raw tables that carry a time of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

WRITTEN_AT = {"recent_history_v2": "created_at", "conversation_sessions_v2": "started_at", "wishlist_v2": "created_at"}
WINDOW = "30 days"
"""Looked back from the present, by index: whoever wrote nothing for longer is told as having written nothing lately."""


def read_arrivals(connection: psycopg.Connection[Any], *, present: datetime) -> dict[str, datetime]:
    """Return the last moment up to ``present`` that each table's rows tell; tables without one lately are left out."""
    arrivals = {}
    for table, column in WRITTEN_AT.items():
        known = connection.execute(
            "select exists (select 1 from pg_attribute where attrelid = to_regclass(%s) and attname = %s "
            "and not attisdropped and atttypid = 'timestamptz'::regtype)",
            (f"public.{table}", column),
        ).fetchone()
        if not (known and known[0]):
            continue
        found = connection.execute(
            sql.SQL(
                "select max({column}) from public.{table} where {column} <= %(present)s "
                "and {column} > %(present)s - %(window)s::interval"
            ).format(column=sql.Identifier(column), table=sql.Identifier(table)),
            {"present": present, "window": WINDOW},
        ).fetchone()
        if found and found[0]:
            arrivals[table] = found[0]
    return arrivals
