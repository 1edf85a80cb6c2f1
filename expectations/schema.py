"""The schema `quality`, which the gate writes and builds read; light to import, for those that only build."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands for the salon or client that a row does not name."""


def prepare_store(connection: psycopg.Connection[Any]) -> None:
    """Make schema `quality` what store.sql says; commits.

    Where it is that already (the schema's comment tells), nothing is touched: replacing a view would wait for everybody
    who reads it.
    """
    statements = files("expectations").joinpath("store.sql").read_text(encoding="utf-8")
    version = f"agentp quality {hashlib.sha256(statements.encode()).hexdigest()[:16]}"
    found = connection.execute("select obj_description(to_regnamespace('quality'), 'pg_namespace')").fetchone()
    if found and found[0] == version:
        return
    connection.execute("set client_min_messages = warning")
    connection.execute(statements)
    connection.execute(sql.SQL("comment on schema quality is {}").format(sql.Literal(version)))
    connection.execute("reset client_min_messages")
    connection.commit()
