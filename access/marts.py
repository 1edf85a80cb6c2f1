"""Every mart that there is, as its YAML classes its columns: rows by salon, columns by role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from agentp.classification import PERSONAL, DeclaredMart, read_marts
from systems.registry import list_systems

OWN_TABLES: Mapping[str, tuple[str, ...]] = {
    "outbox": ("message_text", "payload"), "predictions": (), "wish_reactions": (),
}  # fmt: skip
"""Tables of `dashboard` that no model builds (activation/store.sql), and their columns that tell of people."""

FOR_ANALYSTS = ("runs", "rules", "rule_results", "volumes", "check_results", "latest_results", "latest_checks")
"""What analysts read of `quality`: figures and keys, no errors in words."""


def find_personal(mart: DeclaredMart) -> list[str]:
    """Return the mart's columns that tell of a person, in their order."""
    return [column.name for column in mart.columns if column.sort in PERSONAL]


def find_secret(mart: DeclaredMart) -> list[str]:
    """Return the mart's columns that nobody reads; a well-made mart has none."""
    return [column.name for column in mart.columns if column.sort == "secret"]


def secure_marts(connection: psycopg.Connection[Any]) -> None:
    """Give every mart that exists its policies and grants, and what the rooms keep theirs; alters what differs.

    One mart a transaction where the connection is in none: readers may be at work on any two of them.
    """
    secure_own_tables(connection)
    for mart in read_marts().values():
        for schema, name in (("live", mart.name), (mart.schema, mart.relation)):
            _secure(connection, schema, name, find_personal(mart), find_secret(mart))


def secure_own_tables(connection: psycopg.Connection[Any]) -> None:
    """Open the schemas to the roles, and give the tables that scoring, activation and the gate keep what marts get."""
    connection.execute("select access.open_schemas()")
    for table, personal in OWN_TABLES.items():
        _secure(connection, "dashboard", table, list(personal), [])
    connection.execute("select access.secure_outbox() where to_regclass('dashboard.outbox') is not null")
    connection.execute("select access.secure_kept(%s)", (list(FOR_ANALYSTS),))


def prepare_schemas(connection: psycopg.Connection[Any]) -> None:
    """Make the schemas of marts before a build fills them, so that who may read those may look into them."""
    for system in list_systems():
        name = sql.Identifier(system.mart_schema)
        known = connection.execute("select to_regnamespace(%s) is not null", (name.as_string(None),)).fetchone()
        if not (known and known[0]):
            connection.execute(sql.SQL("create schema {}").format(name))


def _secure(
    connection: psycopg.Connection[Any], schema: str, name: str, personal: list[str], secret: list[str]
) -> None:
    place = "from to_regclass(format('%%I.%%I', %(schema)s::text, %(name)s::text)) as relation "
    place += "where relation is not null"
    names = {"schema": schema, "name": name, "personal": personal, "secret": secret}
    for step in (
        f"select access.secure(relation, %(personal)s, %(secret)s) {place}",
        "select access.show_to_analysts(relation, %(personal)s::text[] || %(secret)s::text[]) "
        f"{place} and not access.shows_to_analysts(relation, %(personal)s::text[] || %(secret)s::text[])",
    ):
        with connection.transaction():
            connection.execute(step.encode(), names)
