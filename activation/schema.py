"""The tables that scoring and activation keep; light to import, for those that only build."""

from __future__ import annotations

from typing import Any

import psycopg

from agentp.schemas import prepare_schema

TABLES = (
    "dashboard.predictions", "dashboard.outbox", "dashboard.wish_reactions",
    "scoring.model_runs", "scoring.client_scores", "scoring.booking_scores",
)  # fmt: skip


def prepare_tables(connection: psycopg.Connection[Any]) -> None:
    """Make schema `scoring` and the seed's tables in `dashboard` what store.sql says; commits."""
    prepare_schema(connection, "scoring", package="activation", relations=TABLES)
