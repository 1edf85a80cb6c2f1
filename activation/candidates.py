"""Who may be written to, and why others are not: read from the marts, with the raw tables as they are this moment.

The marts say who is due and which slots are free as of the last build. What may have changed since and must not be got
wrong (a refusal, a new booking, a salon that left) is read from the raw tables again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from activation.queries import read_query
from activation.quiet_hours import find_send_after, find_zone


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The numbers by which clients are chosen.

    Risks are the seed's steps (seed 02, feature 2): regular clients are asked from the first step on (due by their own
    cycle), those who came once from the second: nothing is known of their rhythm, so that 30 days alone say less.
    Nobody is asked back whose last visit is more than ``longest_absence_days`` ago; they have forgotten the salon, and
    the salon's first run would write to everyone who ever was there.
    """

    regular_risk: Decimal = Decimal("0.3")
    one_visit_risk: Decimal = Decimal("0.6")
    longest_absence_days: int = 365
    pause_days: int = 7
    """Days between two win-back messages to the same client, or to the same chat."""
    win_back_days: int = 7
    """Days after `send_after` for which a win-back message stays true."""
    offer_hours: int = 24
    """Hours after `send_after` for which a slot is kept for who was offered it first."""
    notice_hours: int = 2
    """Hours before a visit from which on its slot is not offered any more."""


@dataclass(frozen=True, kw_only=True)
class Salon:
    """A salon as activation needs it: its present, and when a message queued now may go out (both UTC)."""

    tenant_id: str
    name: str | None
    present: datetime
    send_after: datetime
    hold_out_percent: int


@dataclass(frozen=True, kw_only=True)
class WinBack:
    """A client to be asked back; ``last_visit_at`` is ISO 8601 in UTC, risks are 0 to 1."""

    tenant_id: str
    client_id: str
    client_name: str | None
    channel: str
    message_key: str
    segment: str
    last_visit_at: str
    days_since_last_visit: int
    avg_visit_interval: int | None
    churn_risk_score: float
    churn_probability: float | None
    favourite_staff_id: str | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A free slot and a wish that it would meet, with the reason why it is not offered, if there is one.

    ``local_visit_at`` is the salon's clock, without a zone; ``place`` the wish's turn for the slot.
    """

    tenant_id: str
    booking_id: str
    wish_id: int
    client_id: str
    client_name: str | None
    channel: str | None
    message_key: str
    service_id: str | None
    service_title: str | None
    staff_id: str | None
    is_wished_staff: bool | None
    visit_at: datetime
    local_visit_at: datetime
    place: int
    expires_at: datetime
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """How many candidates of a salon and kind were left out for one reason."""

    tenant_id: str
    kind: str
    reason: str
    count: int


def read_salons(connection: psycopg.Connection[Any], *, as_of: date) -> dict[str, Salon]:
    """Return the salons by id and note them, inactive ones too, in the temporary table `salons`.

    ``as_of`` is the present: an instant, or a day, which means its end in every salon's own zone (as for builds).
    """
    is_instant = isinstance(as_of, datetime)
    rows = connection.execute(
        read_query("salons"), {"instant": as_of if is_instant else None, "day": None if is_instant else as_of}
    ).fetchall()
    salons: dict[str, Salon] = {}
    connection.execute(
        "create temporary table salons (tenant_id uuid primary key, is_active boolean, timezone text, "
        "present timestamptz, send_after timestamptz) on commit drop"
    )
    with connection.cursor().copy("copy salons from stdin") as copy:
        for tenant_id, name, is_active, timezone, quiet_from, quiet_until, percent, present, local_now in rows:
            zone = find_zone(timezone, local_now=local_now, now=present)
            send_after = find_send_after(present, zone, quiet_from=quiet_from, quiet_until=quiet_until)
            copy.write_row((tenant_id, is_active, timezone, present, send_after))
            salons[tenant_id] = Salon(
                tenant_id=tenant_id, name=name, present=present.astimezone(UTC), send_after=send_after,
                hold_out_percent=percent,
            )  # fmt: skip
    connection.execute("analyze salons")
    return salons


def read_standing(connection: psycopg.Connection[Any], *, rules: Rules) -> None:
    """Note in temporary tables who is who, who is due, which slots are free, how to reach whom, what ended."""
    risks = {"regular_risk": rules.regular_risk, "one_visit_risk": rules.one_visit_risk}
    _note(connection, "kin", key=("tenant_id", "client_id"))
    _note(connection, "booked_ahead", key=("tenant_id", "client_id"))
    _note(connection, "due", parameters=risks)
    _note(connection, "free_slots", key=("tenant_id", "booking_id"))
    _note(connection, "recipients", key=("tenant_id", "client_id"))
    _note(connection, "channels", key=("tenant_id", "client_id"))
    _note(connection, "ended", key=("tenant_id", "message_key"))


def _note(
    connection: psycopg.Connection[Any], table: str, *, key: tuple[str, ...] = (), parameters: Any = None
) -> None:
    """Run the query that makes the temporary table of its name; index it where others look things up in it."""
    connection.execute(read_query(table), parameters)
    if key:
        connection.execute(
            sql.SQL("create index on {} ({})").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, key))
            )
        )
    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))


def read_open_offers(connection: psycopg.Connection[Any]) -> tuple[set[tuple[str, str]], set[tuple[str, int]]]:
    """Return the slots and the wishes, each by salon, that have an open offer already."""
    rows = connection.execute(read_query("open_offers")).fetchall()
    return {(tenant, booking) for tenant, booking, _ in rows}, {(tenant, wish) for tenant, _, wish in rows}


def read_offers(connection: psycopg.Connection[Any], *, rules: Rules) -> list[Offer]:
    """Return every free slot with every wish it would meet, by salon, time of the slot and turn of the wish."""
    with connection.cursor(row_factory=_offer_row) as cursor:
        cursor.execute(read_query("offers"), {"offer_hours": rules.offer_hours, "notice_hours": rules.notice_hours})
        return cursor.fetchall()


def read_win_backs(
    connection: psycopg.Connection[Any], *, rules: Rules, written_now: list[tuple[str, str, str]]
) -> tuple[list[WinBack], list[LeftOut]]:
    """Return who is to be asked back, and how many are left out for what reason.

    ``written_now`` holds salon, client and channel of the messages that this run queues already: nobody gets two.
    """
    connection.execute(
        "create temporary table approached (tenant_id uuid, client_id uuid, channel text) on commit drop"
    )
    with connection.cursor().copy("copy approached from stdin") as copy:
        for row in written_now:
            copy.write_row(row)
    connection.execute(read_query("approached"), {"pause_days": rules.pause_days})
    connection.execute("create index on approached (tenant_id, client_id)")
    connection.execute("analyze approached")
    connection.execute(read_query("win_backs"), {"longest_absence_days": rules.longest_absence_days})
    counts = connection.execute(
        "select tenant_id::text, left_out, count(*) from win_backs where left_out is not null "
        "group by tenant_id, left_out order by tenant_id, left_out"
    ).fetchall()
    left_out = [LeftOut(tenant_id=row[0], kind="win_back", reason=row[1], count=row[2]) for row in counts]
    with connection.cursor(row_factory=class_row(WinBack)) as cursor:
        cursor.execute(read_query("chosen"))
        return cursor.fetchall(), left_out


def find_expiry(salon: Salon, *, rules: Rules) -> datetime:
    """Return until when a win-back message queued now may be sent, UTC."""
    return salon.send_after + timedelta(days=rules.win_back_days)


def _offer_row(cursor: psycopg.Cursor[Any]) -> Any:
    names = [column.name for column in cursor.description or ()]
    wanted = Offer.__dataclass_fields__.keys()

    def make(values: Any) -> Offer:
        row = dict(zip(names, values, strict=True))
        return Offer(**{name: row[name] for name in wanted})

    return make
