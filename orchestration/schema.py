"""The tables in schema `quality` that runs write; light to import."""

from __future__ import annotations

from typing import Any

import psycopg

from agentp.schemas import prepare_schema
from sources.agent_p.raw_tables import require_some_raw_table

TABLES = (
    "quality.backfills", "quality.job_runs", "quality.job_steps", "quality.check_results", "quality.problems",
    "quality.digests",
)  # fmt: skip


def prepare_history(connection: psycopg.Connection[Any]) -> None:
    """Make the tables of run history what store.sql says; commits. Not in a database that is nobody's of ours."""
    known = connection.execute("select to_regnamespace('quality') is not null").fetchone()
    if not (known and known[0]):
        require_some_raw_table(connection)
    prepare_schema(connection, "quality", package="orchestration", relations=TABLES, marked_on="quality.job_runs")
