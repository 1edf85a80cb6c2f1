"""Salons that asked for digests, and the receivers of each (issue 6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg

from agentp.errors import SetupError
from orchestration.alerts import Receiver
from reports.digest_facts import DAYS

Connection = psycopg.Connection[Any]

_READ_SUBSCRIBERS = """
select
    tenant_id, coalesce(nullif(btrim(tenant_name), ''), slug, tenant_id::text), coalesce(slug, ''),
    coalesce(admin_chat_id, ''), timezone, language, digest,
    coalesce((%(day)s::date + 1)::timestamp, %(moment)s::timestamptz at time zone timezone)
from dashboard.tenant_settings
where is_active and (digest is not null or %(everybody)s)
order by slug nulls last, tenant_id
"""
_IS_READY = """
select count(*) = 2 from pg_attribute
where attrelid = to_regclass('dashboard.tenant_settings') and attname in ('digest', 'language') and not attisdropped
    and to_regclass('dashboard.metrics_dailies') is not null
"""


@dataclass(frozen=True)
class Subscriber:
    """A salon: where its digests go, in which language, which it asked for (none: it did not), and its local time."""

    tenant_id: UUID
    name: str
    slug: str
    admin_chat_id: str
    timezone: str
    language: str
    digest: str | None
    local: datetime

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of digests that it asked for."""
        return tuple(DAYS) if self.digest == "both" else tuple(kind for kind in DAYS if kind == self.digest)


def is_ready(connection: Connection) -> bool:
    """Whether the marts are there, with the columns of salons' wishes about digests."""
    row = connection.execute(_IS_READY).fetchone()
    return bool(row and row[0])


def read_subscribers(connection: Connection, present: date, *, everybody: bool = False) -> list[Subscriber]:
    """Return the active salons that asked for digests, or all of them; a day as present is its local end for each."""
    is_moment = isinstance(present, datetime)
    values = {"moment": present if is_moment else None, "day": None if is_moment else present, "everybody": everybody}
    return [Subscriber(*row) for row in connection.execute(_READ_SUBSCRIBERS, values)]


def choose_salon(subscribers: list[Subscriber], wanted: str) -> list[Subscriber]:
    """Return those that the slug, id or name names; refuse a name that nobody of them has."""
    chosen = [found for found in subscribers if wanted in (found.slug, found.name, str(found.tenant_id))]
    if not chosen:
        known = ", ".join(found.slug or str(found.tenant_id) for found in subscribers[:10])
        raise SetupError(
            f"There is no active salon '{wanted}'.",
            cure=f"Name one by slug, id or name; there are: {known or 'none'}.",
        )
    return chosen


def address_receivers(receivers: Sequence[Receiver], subscriber: Subscriber) -> tuple[list[Receiver], list[str]]:
    """Return the receivers with the salon's own values in their URLs, and of those that need one it lacks, a word."""
    values = {name: str(getattr(subscriber, name)) for name in ("admin_chat_id", "slug", "tenant_id")}
    addressed, left_out = [], []
    for receiver in receivers:
        lacking = [name for name in re.findall(r"\{(\w+)\}", receiver.url) if values.get(name) == ""]
        if lacking:
            left_out.append(f"{receiver.name} is left out for {subscriber.name}: it has no {lacking[0]}.")
            continue
        url = receiver.url
        for name, value in values.items():
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
        addressed.append(replace(receiver, url=url))
    return addressed, left_out
