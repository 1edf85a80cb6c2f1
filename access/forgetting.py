"""Forgetting a person: nobody takes their place in the raw rows, and what was kept of them follows (issue 7).

What would be read again comes back, so the raw rows are changed first, in one transaction that also notes who is being
forgotten. From then on everything may be done again: who is killed anywhere begins there. A build makes the marts
right, what no build makes is found by the catalog, and in the end every column is searched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Any, Protocol
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from access.nobodies import ALL_TABLES, SPOKEN, make_nobodys
from access.people import Person, find_shared, read_terms
from access.receipts import (
    SITE,
    Receipt,
    close_pending,
    count_raw_rows,
    describe,
    note_pending,
    read_pending,
    read_totals,
)
from access.salons import find_owner
from access.statistics import renew_statistics
from access.traces import QUEUES, count_traces, erase_traces, read_relations
from agentp.database import open_connection
from agentp.errors import AgentpError, SetupError
from agentp.pipeline import find_last_moment, open_build
from agentp.project import raise_first_failure, run_dbt
from agentp.settings import Settings

NO_COUNTRY = "+999"
"""A code that the ITU has given to no country."""


class Site(Protocol):
    """The site of reports, as far as forgetting needs it."""

    def count(self, person: Person) -> int:
        """Return how many files name the person."""

    def renew(self) -> None:
        """Write anew what changed, where there is a site."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who hears of what is done: ``announce`` of waiting, ``note`` of each step."""

    announce: Callable[[str], None] = lambda line: None
    note: Callable[[str], None] = lambda step: None


def plan_forgetting(
    url: str, *, client_id: UUID, tenant: str | None, site: Site, listener: Listener | None = None
) -> list[Receipt]:
    """Return what `forget` would find; changes nothing. Raises `SetupError` for a client whom nobody knows."""
    listener = listener or Listener()
    with open_build(url, announce=listener.announce), open_connection(url) as connection:
        _require_sight(connection)
        begun = read_pending(connection, client_id) or _look(connection, client_id, tenant, site)
        return [receipt for _, receipt in begun]


def forget(
    settings: Settings, url: str, *, client_id: UUID | None, tenant: str | None, site: Site,
    listener: Listener | None = None,
) -> list[Receipt]:  # fmt: skip
    """Forget a client, or without ``client_id`` finish what was begun and interrupted; return the receipts.

    Every client who is the same person (docs/decisions.md, "Persons") goes along, with a receipt each. ``tenant``
    names the salon where several know the id. Of two at a time the second waits. Raises `SetupError` for a client
    whom nobody knows or a right that is missing, and `AgentpError` where the client is still named in the end.
    """
    listener = listener or Listener()
    with open_build(url, announce=listener.announce, is_written=True), open_connection(url) as connection:
        _require_sight(connection)
        if client_id is not None and not read_pending(connection, client_id):
            listener.note("looking for the client")
            _begin(connection, _look(connection, client_id, tenant, site))
        begun = read_pending(connection, None)
        if not begun:
            raise SetupError("Nobody is being forgotten.", cure="Name somebody: agentp forget --client ID.")
        return _finish(settings, url, connection, begun, site=site, listener=listener)


def _look(
    connection: psycopg.Connection[Any], client_id: UUID, tenant: str | None, site: Site
) -> list[tuple[Person, Receipt]]:
    relations = read_relations(connection)
    tenant_id, _ = find_owner(connection, client_id, tenant, relations)
    ids = _find_kin(connection, client_id, tenant_id)
    found = []
    for kin_id in ids:
        _, is_alone = find_owner(connection, kin_id, str(tenant_id), relations)
        person = Person(
            client_id=kin_id, nobody_id=uuid4(), tenant_id=tenant_id, is_alone=is_alone,
            terms=read_terms(connection, kin_id, tenant_id=None if is_alone else tenant_id),
        )  # fmt: skip
        person = replace(person, terms=find_shared(connection, person, ALL_TABLES, ids=ids, spoken=SPOKEN))
        rows = count_raw_rows(connection, person) | count_traces(connection, person, relations)
        if files := site.count(person):
            rows[SITE] = files
        found.append((person, describe(person, rows=rows, totals=read_totals(connection, tenant_id))))
    connection.commit()
    return found


def _find_kin(connection: psycopg.Connection[Any], client_id: UUID, tenant_id: UUID) -> list[UUID]:
    """Return the clients who are the same person, the named one first; whom a build has not made known has none."""
    known = connection.execute("select to_regclass('intermediate.int_clients_kin') is not null").fetchone()
    if not (known and known[0]):
        return [client_id]
    rows = connection.execute(
        "select kin_id from intermediate.int_clients_kin "
        "where tenant_id = %s and client_id = %s and kin_id <> client_id order by kin_id",
        (tenant_id, client_id),
    ).fetchall()
    return [client_id, *(row[0] for row in rows)]


def _begin(connection: psycopg.Connection[Any], found: Sequence[tuple[Person, Receipt]]) -> None:
    """Note who is forgotten and put nobody in their place, all clients of a person in one transaction.

    Two nobodies would be two persons, and totals others than they were: so they share a number, that of no country.
    """
    number = f"{NO_COUNTRY}{randbelow(10**12):012}" if len(found) > 1 else None
    relations = [known for known in read_relations(connection) if known.label == "quality.rows_set_aside"]
    present = _find_present(connection)
    for person, receipt in found:
        note_pending(connection, person, receipt)
        values = {"tenant": person.tenant_id, "client": person.client_id}
        connection.execute(
            "update dashboard.outbox set status = 'withdrawn' "
            "where tenant_id = %(tenant)s and client_id = %(client)s and status = 'pending'",
            values,
        )
        # What it holds is a hash of the wish with their name in it; the wish counts as changed, which it is.
        connection.execute(
            "update dashboard.wish_reactions set fingerprint = '' where (tenant_id, wish_id) in "
            "(select tenant_id, id from public.wishlist_v2 where user_id = %(client)s)",
            values,
        )
        make_nobodys(connection, person, present=present, number=number)
        # Before the build: what is set aside stays set aside.
        erase_traces(connection, person, relations)
    connection.commit()


def _finish(
    settings: Settings, url: str, connection: psycopg.Connection[Any], begun: Sequence[tuple[Person, Receipt]], *,
    site: Site, listener: Listener,
) -> list[Receipt]:  # fmt: skip
    listener.note("what is kept")
    kept = [found for found in read_relations(connection) if not found.is_built and found.schema not in QUEUES]
    for person, _ in begun:
        erase_traces(connection, person, kept)
        connection.commit()
    as_of = _find_last_build(connection)
    connection.commit()
    if as_of is not None:
        listener.note("marts")
        raise_first_failure(run_dbt(settings, url, "run", as_of=as_of))
    listener.note("queues")
    relations = [found for found in read_relations(connection) if not found.is_built]
    for person, _ in begun:
        erase_traces(connection, person, relations)
        connection.commit()
    if as_of is not None:
        listener.note("reports")
        site.renew()
    listener.note("statistics")
    renew_statistics(connection, (place for _, receipt in begun for place in receipt.rows_before))
    listener.note("searching every column")
    return [_close(connection, person, receipt, site=site) for person, receipt in begun]


def _close(connection: psycopg.Connection[Any], person: Person, receipt: Receipt, *, site: Site) -> Receipt:
    rows = count_raw_rows(connection, person) | count_traces(connection, person, read_relations(connection))
    if files := site.count(person):
        rows[SITE] = files
    if rows:
        places = ", ".join(f"{place} ({count:,})" for place, count in rows.items())
        raise AgentpError(
            f"The client is still named in {places}.",
            cure="Remove what names them there, then run `agentp forget` again: it goes on where it stopped.",
        )
    done = replace(receipt, totals_after=read_totals(connection, person.tenant_id))
    number = close_pending(connection, person, done)
    connection.commit()
    return replace(done, receipt_id=number)


def _require_sight(connection: psycopg.Connection[Any]) -> None:
    """Who does not see every row finds nothing and calls it gone."""
    known = connection.execute("select to_regprocedure('access.sees_every_tenant()') is not null").fetchone()
    if known and known[0]:
        found = connection.execute("select access.sees_every_tenant()").fetchone()
        if not (found and found[0]):
            raise SetupError(
                "This login does not see every salon's rows, so that it cannot tell what is left of a client.",
                cure="Connect as the owner of the marts and the raw tables.",
            )


def _find_last_build(connection: psycopg.Connection[Any]) -> str | None:
    known = connection.execute("select to_regclass('build.runs') is not null").fetchone()
    if not (known and known[0]):
        return None
    row = connection.execute(
        sql.SQL("select as_of from build.runs where outcome = 'complete' order by finished_at desc limit 1")
    ).fetchone()
    return str(row[0]) if row else None


def _find_present(connection: psycopg.Connection[Any]) -> datetime:
    """The later of the clock and the end of the last build's day, wherever a salon is."""
    as_of = _find_last_build(connection)
    if as_of is None:
        return datetime.now(UTC)
    return max(datetime.now(UTC), find_last_moment(as_of) + timedelta(hours=12 if len(as_of) == 10 else 0))
