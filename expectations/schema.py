"""The schema `quality`, which the gate writes and builds read; light to import, for those that only build."""

from __future__ import annotations

from typing import Any

import psycopg

from agentp.schemas import prepare_schema

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands for the tenant or client that a row does not name."""


def prepare_store(connection: psycopg.Connection[Any]) -> None:
    """Make schema `quality` what store.sql says; commits."""
    prepare_schema(connection, "quality", package="expectations")
