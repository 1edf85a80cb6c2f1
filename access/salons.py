"""Whose client an id is: the salon, and whether it is that salon's alone (issue 7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from access.nobodies import TABLES
from access.traces import QUEUES, Relation
from agentp.errors import SetupError


def find_owner(
    connection: psycopg.Connection[Any], client_id: UUID, tenant: str | None, relations: Iterable[Relation]
) -> tuple[UUID, bool]:
    """Return the salon whose client it is, and whether no other salon has a client of that id.

    Somebody whom the bot has deleted is found by what the project keeps. Raises `SetupError` where nobody knows the
    client, or where several salons do and ``tenant`` (slug, id or name) does not say which is meant.
    """
    owners = (
        _read_owners(connection, client_id, TABLES[:1])
        or _read_owners(connection, client_id, TABLES[1:])
        or _read_keepers(connection, client_id, relations)
    )
    wanted = owners if tenant is None else owners & _find_tenants(connection, tenant)
    if not wanted:
        place = "" if tenant is None else f" at the salon '{tenant}'"
        raise SetupError(
            f"No client {client_id} is known{place}.",
            cure="Name the client by clients_v2.id. Somebody who was forgotten is not known any more.",
        )
    if len(wanted) > 1:
        raise SetupError(
            f"{len(wanted)} salons have a client {client_id}.",
            cure="Say which is meant with --tenant: " + ", ".join(sorted(map(str, wanted))) + ".",
        )
    return next(iter(wanted)), len(owners) == 1


def _read_owners(
    connection: psycopg.Connection[Any], client_id: UUID, tables: Iterable[tuple[str, str, str]]
) -> set[UUID]:
    found = set()
    for table, tenant, client in tables:
        rows = connection.execute(
            sql.SQL("select distinct {} from public.{} where {} = {}").format(
                sql.Identifier(tenant), sql.Identifier(table), sql.Identifier(client), client_id
            )
        ).fetchall()
        found |= {row[0] for row in rows if row[0] is not None}
    return found


def _read_keepers(connection: psycopg.Connection[Any], client_id: UUID, relations: Iterable[Relation]) -> set[UUID]:
    found = set()
    for relation in relations:
        names = [column.name for column in relation.columns if column.type == "uuid" and column.name != "tenant_id"]
        if not relation.is_table or not names or "tenant_id" not in {column.name for column in relation.columns}:
            continue
        if relation.schema in QUEUES:
            continue
        rows = connection.execute(
            sql.SQL("select distinct tenant_id from {} as rows where {}").format(
                relation.identifier,
                sql.SQL(" or ").join(sql.SQL("rows.{} = {}").format(sql.Identifier(name), client_id) for name in names),
            )
        ).fetchall()
        found |= {row[0] for row in rows if row[0] is not None}
    return found


def _find_tenants(connection: psycopg.Connection[Any], tenant: str) -> set[UUID]:
    rows = connection.execute(
        "select id from public.tenants_v2 where %(name)s in (id::text, slug, name)", {"name": tenant}
    ).fetchall()
    return {row[0] for row in rows}
