"""Which salons are meant, and whose client an id is (issue 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from access.nobodies import TABLES
from access.traces import QUEUES, Relation
from agentp.errors import SetupError

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def find_tenants(
    connection: psycopg.Connection[Any], named: Sequence[str], *, with_unknown: bool = False
) -> list[UUID]:
    """Return the ids of salons by slug, id or name; ``with_unknown`` lets ids pass of salons that are gone."""
    known = connection.execute("select id, slug, name from public.tenants_v2 order by slug, id").fetchall()
    found: list[UUID] = []
    for name in named:
        matching = [row[0] for row in known if name.lower() == str(row[0]) or name in row[1:]]
        if not matching and with_unknown and _ID.fullmatch(name):
            matching = [UUID(name)]
        if len(matching) != 1:
            slugs = ", ".join(str(slug or tenant_id) for tenant_id, slug, _ in known[:12])
            raise SetupError(
                f"'{name}' names {'no salon' if not matching else f'{len(matching)} salons'}.",
                cure=f"Write a slug or an id: {slugs or 'there are none yet'}.",
            )
        found += matching
    return found


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
    wanted = owners if tenant is None else owners.intersection(find_tenants(connection, [tenant], with_unknown=True))
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
