"""What schema `quality` holds of a forgetting: who is being forgotten, until it is done; then the receipt (issue 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from access.nobodies import TABLES, belongs_to
from access.people import Person, Term
from agentp.brake import announce_removal

SITE = "files of the site"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Rows that named a person, by relation (and files of the site), before and after; what the salon's totals were.

    ``receipt_id`` is None as long as nothing was done. ``shared`` are sorts of names that others of the salon have too.
    """

    tenant_id: UUID
    rows_before: Mapping[str, int]
    totals_before: Mapping[str, str]
    shared: tuple[str, ...]
    rows_after: Mapping[str, int] = field(default_factory=dict)
    totals_after: Mapping[str, str] = field(default_factory=dict)
    receipt_id: int | None = None


def read_totals(connection: psycopg.Connection[Any], tenant_id: UUID) -> dict[str, str]:
    """Return the salon's totals over all its days: sessions, messages, bookings, and kept revenue by currency."""
    built = connection.execute(
        "select to_regclass('dashboard.metrics_dailies') is not null "
        "and to_regclass('dashboard.revenue_daily') is not null"
    ).fetchone()
    if not (built and built[0]):
        return {}
    rows = connection.execute(
        "select 'sessions', coalesce(sum(dialogs_started + inferred_sessions), 0)::text "
        "from dashboard.metrics_dailies where tenant_id = %(tenant)s union all "
        "select 'messages', coalesce(sum(messages), 0)::text "
        "from dashboard.metrics_dailies where tenant_id = %(tenant)s union all "
        "select 'bookings', coalesce(sum(bookings), 0)::text "
        "from dashboard.metrics_dailies where tenant_id = %(tenant)s union all "
        "select currency, sum(kept_amount)::text from dashboard.revenue_daily "
        "where tenant_id = %(tenant)s group by currency",
        {"tenant": tenant_id},
    ).fetchall()
    return dict(rows)


def count_raw_rows(connection: psycopg.Connection[Any], person: Person) -> dict[str, int]:
    """Return how many rows of each raw table are the person's, or nobody's and still name them."""
    found = {}
    for table, _, client in TABLES:
        row = connection.execute(
            sql.SQL("select count(*) from public.{} as rows where {} or ({} and {})").format(
                sql.Identifier(table), belongs_to(person, client),
                belongs_to(person, client, client_id=person.nobody_id),
                person.write_test(sql.SQL("rows::text")),
            )
        ).fetchone()  # fmt: skip
        if row and row[0]:
            found[f"public.{table}"] = int(row[0])
    return found


def note_pending(connection: psycopg.Connection[Any], person: Person, receipt: Receipt) -> None:
    """Note who is about to be forgotten, in the transaction that begins it, and tell the brake that a client goes.

    No rows: those of the marts move to nobody.
    """
    announce_removal(connection, person.tenant_id, reason="forget", rows=0, clients=1)
    connection.execute(
        "insert into quality.pending_forgettings (tenant_id, client_id, nobody_id, is_alone, terms, counts) "
        "values (%s, %s, %s, %s, %s, %s)",
        (
            person.tenant_id, person.client_id, person.nobody_id, person.is_alone, Jsonb(person.write_terms()),
            Jsonb({"rows": dict(receipt.rows_before), "totals": dict(receipt.totals_before)}),
        ),
    )  # fmt: skip


def read_pending(connection: psycopg.Connection[Any], client_id: UUID | None) -> list[tuple[Person, Receipt]]:
    """Return who is being forgotten, all or one, with what stood there before."""
    rows = connection.execute(
        "select tenant_id, client_id, nobody_id, is_alone, terms, counts from quality.pending_forgettings "
        "where client_id = coalesce(%s, client_id) order by begun_at",
        (client_id,),
    ).fetchall()
    found = []
    for tenant_id, client, nobody_id, is_alone, terms, counts in rows:
        person = Person(
            client_id=client, nobody_id=nobody_id, tenant_id=tenant_id, is_alone=is_alone,
            terms=tuple(Term(**term) for term in terms),
        )  # fmt: skip
        found.append((person, describe(person, rows=counts["rows"], totals=counts["totals"])))
    return found


def describe(person: Person, *, rows: Mapping[str, int], totals: Mapping[str, str]) -> Receipt:
    """Return the receipt of what is still to be done."""
    return Receipt(
        tenant_id=person.tenant_id, rows_before=rows, totals_before=totals,
        shared=tuple(dict.fromkeys(term.sort for term in person.terms if term.is_shared_here)),
    )  # fmt: skip


def close_pending(connection: psycopg.Connection[Any], person: Person, receipt: Receipt) -> int:
    """Keep the receipt, let go of who it was about; the caller commits. Return the receipt's number."""
    connection.execute(
        "delete from quality.pending_forgettings where (tenant_id, client_id) = (%s, %s)",
        (person.tenant_id, person.client_id),
    )
    counts = {
        "rows_before": dict(receipt.rows_before), "rows_after": dict(receipt.rows_after),
        "totals_before": dict(receipt.totals_before), "totals_after": dict(receipt.totals_after),
    }  # fmt: skip
    row = connection.execute(
        "insert into quality.forgettings (tenant_id, counts) values (%s, %s) returning receipt_id",
        (person.tenant_id, Jsonb(counts)),
    ).fetchone()
    return int(row[0]) if row else 0
