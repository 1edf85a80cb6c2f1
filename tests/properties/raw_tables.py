"""Bring a database's raw tables from one world to another by inserts, updates and deletes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.oracle.records import Client, Memory, Message, Session, Tenant, Wish, World

Record = Tenant | Client | Session | Message | Memory | Wish
TABLES = {
    "tenants": ("tenants_v2", "id"),
    "clients": ("clients_v2", "id"),
    "sessions": ("conversation_sessions_v2", "session_id"),
    "messages": ("recent_history_v2", "id"),
    "memories": ("user_ltm_v2", "user_id"),
    "wishes": ("wishlist_v2", "id"),
}
JSON_COLUMNS = ("metadata", "meta", "ltm_data")


def change_raw_tables(url: str, before: World | Sequence[World], after: World | Sequence[World]) -> None:
    """Write the difference between worlds in one transaction, in the order that foreign keys ask for."""
    before, after = _join(before), _join(after)
    with psycopg.connect(url) as connection:
        for kind in ("tenants", "clients", "sessions", "messages", "memories", "wishes"):
            _write_rows(connection, kind, before, after)
        for kind in ("wishes", "memories", "messages", "sessions", "clients", "tenants"):
            _delete_rows(connection, kind, before, after)


def _join(worlds: World | Sequence[World]) -> World:
    """Return all rows of worlds that share none."""
    if isinstance(worlds, World):
        return worlds
    return World(**{kind: tuple(row for world in worlds for row in getattr(world, kind)) for kind in TABLES})


def _write_rows(connection: psycopg.Connection[Any], kind: str, before: World, after: World) -> None:
    table, key = TABLES[kind]
    known, wanted = _by_key(kind, before), _by_key(kind, after)
    inserted = [row for name, row in wanted.items() if name not in known]
    # As text: to Python 1, 1.0 and True are equal, and to JSON they are not.
    updated = [
        row
        for name, row in wanted.items()
        if name in known and row is not known[name] and repr(row) != repr(known[name])
    ]
    columns = _columns(inserted + updated)
    if inserted:
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
        )
        connection.cursor().executemany(statement, [_adapt(row) for row in inserted])
    if updated:
        assignments = [sql.SQL("{} = {}").format(sql.Identifier(c), sql.Placeholder(c)) for c in columns]
        statement = sql.SQL("update {} set {} where {} = {}").format(
            sql.Identifier(table), sql.SQL(", ").join(assignments), sql.Identifier(key), sql.Placeholder(key)
        )
        connection.cursor().executemany(statement, [_adapt(row) for row in updated])


def _delete_rows(connection: psycopg.Connection[Any], kind: str, before: World, after: World) -> None:
    table, key = TABLES[kind]
    gone = list(_by_key(kind, before).keys() - _by_key(kind, after).keys())
    if gone:
        statement = sql.SQL("delete from {} where {} = any(%s)").format(sql.Identifier(table), sql.Identifier(key))
        connection.execute(statement, [gone])


def _by_key(kind: str, world: World) -> dict[Any, Record]:
    rows: Iterable[Record] = getattr(world, kind)
    return {getattr(row, TABLES[kind][1]): row for row in rows}


def _columns(rows: list[Record]) -> list[str]:
    return [field.name for field in fields(rows[0])] if rows else []


def _adapt(row: Record) -> dict[str, Any]:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: Jsonb(value) if name in JSON_COLUMNS else value for name, value in values.items()}
