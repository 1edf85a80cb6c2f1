"""The tables in schema `quality` that runs write; light to import."""

from __future__ import annotations

from typing import Any

import psycopg

from agentp.schemas import prepare_schema
from sources.raw_tables import has_no_raw_tables, require_some_raw_table
from systems.registry import list_systems

TABLES = (
    "quality.backfills", "quality.job_runs", "quality.job_steps", "quality.check_results", "quality.problems",
    "quality.digests",
)  # fmt: skip


def is_foreign(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing of ours is in the database, neither raw tables nor what runs keep: it is somebody else's."""
    kept = connection.execute("select to_regclass('quality.job_runs') is not null").fetchone()
    return not (kept and kept[0]) and all(has_no_raw_tables(connection, system) for system in list_systems())


def require_ours(connection: psycopg.Connection[Any]) -> None:
    """Refuse to keep anything in a database that `is_foreign`, with a `RawTablesError`."""
    if is_foreign(connection):
        require_some_raw_table(connection)


def prepare_history(connection: psycopg.Connection[Any]) -> None:
    """Make the tables of run history what store.sql says; commits."""
    prepare_schema(connection, "quality", package="orchestration", relations=TABLES, marked_on="quality.job_runs")
