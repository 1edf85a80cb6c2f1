"""The tables that scoring and activation keep; light to import, for those that only build."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

TABLES = (
    "dashboard.predictions", "dashboard.outbox",
    "scoring.model_runs", "scoring.client_scores", "scoring.booking_scores",
)  # fmt: skip


def prepare_tables(connection: psycopg.Connection[Any]) -> None:
    """Make schema `scoring` and the seed's tables in `dashboard` what store.sql says; commits.

    Where they are there and that already (the schema's comment tells), nothing is touched.
    """
    statements = files("activation").joinpath("store.sql").read_text(encoding="utf-8")
    version = f"agentp scoring {hashlib.sha256(statements.encode()).hexdigest()[:16]}"
    found = connection.execute(
        "select obj_description(to_regnamespace('scoring'), 'pg_namespace'), "
        "(select count(*) from unnest(%s::text[]) as name where to_regclass(name) is not null)",
        (list(TABLES),),
    ).fetchone()
    if found and found == (version, len(TABLES)):
        return
    connection.execute("set client_min_messages = warning")
    connection.execute(statements)
    connection.execute(sql.SQL("comment on schema scoring is {}").format(sql.Literal(version)))
    connection.execute("reset client_min_messages")
    connection.commit()
