"""How things stand after a check, as later checks and builds read it."""

from __future__ import annotations

from typing import Any

import psycopg

STANDINGS = {
    "client_rows": "tenant_id, client_id, table_name, rows_seen",
    "client_failures": "tenant_id, client_id, rule_id, rows_failed, first_key, last_key",
    "client_links": "tenant_id, client_id, linked_tenant_id, linked_client_id",
    "rows_set_aside": "tenant_id, table_name, row_key, client_id, rule_ids::text",
}
"""The tables that a check of what changed has to leave as a full one would, without the run that wrote them."""


def read_standings(url: str) -> dict[str, set[tuple[Any, ...]]]:
    """Return all that stands, by table."""
    with psycopg.connect(url) as connection:
        return {
            table: set(connection.execute(f"select {columns} from quality.{table}").fetchall())
            for table, columns in STANDINGS.items()
        }


def describe_differences(found: dict[str, set[tuple[Any, ...]]], wanted: dict[str, set[tuple[Any, ...]]]) -> list[str]:
    """Return one line for each row that should not stand, or is not there."""
    lines = []
    for table in STANDINGS:
        lines += [f"{table} should not hold {tuple(map(str, row))}" for row in found[table] - wanted[table]]
        lines += [f"{table} lacks {tuple(map(str, row))}" for row in wanted[table] - found[table]]
    return sorted(lines)
