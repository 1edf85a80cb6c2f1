"""The tables in schema `quality` that runs write; light to import."""

from __future__ import annotations

from typing import Any

import psycopg

from agentp.schemas import prepare_schema

TABLES = (
    "quality.backfills", "quality.job_runs", "quality.job_steps", "quality.check_results", "quality.problems",
    "quality.digests",
)  # fmt: skip


def prepare_history(connection: psycopg.Connection[Any]) -> None:
    """Make the tables of run history what store.sql says; commits."""
    prepare_schema(connection, "quality", package="orchestration", relations=TABLES, marked_on="quality.job_runs")
