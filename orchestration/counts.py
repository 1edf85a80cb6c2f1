"""How many rows a model holds, and what the build did to them: by the build's own record, or by counting a view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

LONGEST_COUNT = "5s"
"""A live view that takes longer to be counted is left uncounted."""


def read_counts(connection: psycopg.Connection[Any], node: Mapping[str, Any], *, invocation_id: str) -> dict[str, Any]:
    """Return a model's counts as Dagster shows them; none for staging views, which hold what the raw tables hold.

    ``node`` is the model in dbt's manifest, ``invocation_id`` that of the build. ``connection`` commits by itself.
    """
    if node["config"]["materialized"] in ("published", "kept"):
        found = connection.execute(
            "select row_count, rows_inserted, rows_updated, rows_deleted, was_full from build.model_runs "
            "where invocation_id = %s and model = %s",
            (invocation_id, node["name"]),
        ).fetchone()
        if found is None:
            return {}
        names = ("dagster/row_count", "rows_inserted", "rows_updated", "rows_deleted", "was_full")
        return dict(zip(names, found, strict=True))
    if node["fqn"][2] != "marts":
        return {}
    try:
        with connection.transaction():
            connection.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(LONGEST_COUNT)))
            counted = connection.execute(
                sql.SQL("select count(*) from {}").format(sql.Identifier(node["schema"], node["alias"]))
            ).fetchone()
    except psycopg.errors.QueryCanceled:
        return {}
    return {"dagster/row_count": counted[0]} if counted else {}
