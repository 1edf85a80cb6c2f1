"""The queue of messages for the bot, dashboard.outbox (REQUIREMENTS C13): each message once, or held out once.

A win-back message is known by its client and last visit, an offer by the freed booking and the wish. A key that is in
the queue, in whatever status, is never queued again, so that a second run adds nothing. Rows are never deleted; only
pending ones change, because all others are history or the bot's.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from activation.candidates import (
    LeftOut,
    Offer,
    Rules,
    Salon,
    WinBack,
    find_expiry,
    read_offers,
    read_open_offers,
    read_salons,
    read_standing,
    read_win_backs,
)
from activation.messages import OfferText, WinBackText, mask_name, write_offer, write_win_back

SALT = "agentp hold-out 1"
"""Another salt draws other candidates; it stays, or candidates would be drawn twice."""
KINDS = ("win_back", "slot_offer")
EXAMPLES = 3
"""Messages that a report shows, with names masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of the outbox as it is queued; times are UTC."""

    tenant_id: str
    message_key: str
    kind: str
    client_id: str
    booking_id: str | None
    wish_id: int | None
    channel: str
    message_text: str
    payload: str
    is_held_out: bool
    created_at: datetime
    send_after: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class TenantQueue:
    """What is, or would be, queued and ended for one salon and kind of message."""

    tenant_id: str
    kind: str
    queued: int
    held_out: int
    withdrawn: int
    expired: int


@dataclass(frozen=True, kw_only=True)
class OutboxPlan:
    """One run of the outbox: its messages, what it ends, whom it leaves out and why, and examples that name nobody."""

    salons: dict[str, Salon]
    messages: tuple[Message, ...]
    queues: tuple[TenantQueue, ...]
    left_out: tuple[LeftOut, ...]
    examples: tuple[str, ...]


def draw_hold_out(tenant_id: str, message_key: str, *, percent: int, salt: str = SALT) -> bool:
    """Whether a candidate is left alone on purpose: the same answer whenever it is asked.

    A hash of the salon and the key stands for the draw: uniform, and independent of everything that is known of the
    client, so that those held out are like those written to. ``percent`` is 0 to 100.
    """
    digest = hashlib.sha256(f"{salt}|{tenant_id}|{message_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * 100 < percent << 64


def plan_outbox(
    connection: psycopg.Connection[Any], *, as_of: date, rules: Rules, kinds: Collection[str] = KINDS
) -> OutboxPlan:
    """Return what a run at ``as_of`` queues and ends; what ends stands in the temporary table `ended` until commit.

    ``as_of`` is an instant with its zone, or a day, which means its end in every salon's zone. Messages of other than
    ``kinds`` are neither queued nor ended. Nothing but temporary tables is written.
    """
    salons = read_salons(connection, as_of=as_of)
    read_standing(connection, rules=rules)
    connection.execute("delete from ended where kind <> all(%s)", (list(kinds),))
    offers: list[Offer] = []
    win_backs: list[WinBack] = []
    offers_left: list[LeftOut] = []
    win_backs_left: list[LeftOut] = []
    if "slot_offer" in kinds:
        offers, offers_left = _take_turns(
            read_offers(connection, rules=rules), open_offers=read_open_offers(connection)
        )  # fmt: skip
    if "win_back" in kinds:
        written_now = [(offer.tenant_id, offer.client_id, offer.channel or "") for offer in offers]
        win_backs, win_backs_left = read_win_backs(connection, rules=rules, written_now=written_now)
    messages = tuple(
        [_compose_offer(offer, salons[offer.tenant_id]) for offer in offers]
        + [_compose_win_back(client, salons[client.tenant_id], rules=rules) for client in win_backs]
    )
    ended = connection.execute(
        "select tenant_id::text, kind, status, count(*) from ended group by 1, 2, 3"
    ).fetchall()  # fmt: skip
    return OutboxPlan(
        salons=salons,
        messages=messages,
        queues=_count(messages, {(tenant, kind, status): count for tenant, kind, status, count in ended}),
        left_out=tuple(win_backs_left + offers_left),
        examples=_show_examples(offers, win_backs, salons),
    )


def write_outbox(connection: psycopg.Connection[Any], plan: OutboxPlan) -> None:
    """End what ended and queue the plan's messages in the transaction that planned them; the caller commits.

    What the bot has sent or failed to send since stays as the bot left it.
    """
    connection.execute(
        "update dashboard.outbox as outbox set status = ended.status from ended "
        "where outbox.tenant_id = ended.tenant_id and outbox.message_key = ended.message_key "
        "and outbox.status = 'pending'"
    )
    connection.execute("create temporary table queued (like dashboard.outbox including defaults) on commit drop")
    with connection.cursor().copy(
        "copy queued (tenant_id, message_key, kind, client_id, booking_id, wish_id, channel, message_text, payload, "
        "is_held_out, status, created_at, send_after, expires_at) from stdin"
    ) as copy:
        for message in plan.messages:
            copy.write_row(
                (
                    message.tenant_id, message.message_key, message.kind, message.client_id, message.booking_id,
                    message.wish_id, message.channel, message.message_text, message.payload, message.is_held_out,
                    "held_out" if message.is_held_out else "pending", message.created_at, message.send_after,
                    message.expires_at,
                )
            )  # fmt: skip
    # Keys are looked for before; should somebody have written one since, it stands.
    connection.execute(
        "insert into dashboard.outbox select * from queued on conflict (tenant_id, message_key) do nothing"
    )


def _take_turns(
    offers: list[Offer], *, open_offers: tuple[set[tuple[str, str]], set[tuple[str, int]]]
) -> tuple[list[Offer], list[LeftOut]]:
    """Give each slot to the first in turn whose wish has no open offer; return the offers, and counts of the others.

    ``offers`` come ordered by slot and turn. A slot and a wish have one open offer at a time.
    """
    busy_slots, busy_wishes = set(open_offers[0]), set(open_offers[1])
    made: list[Offer] = []
    left: Counter[tuple[str, str]] = Counter()
    for offer in offers:
        slot, wish = (offer.tenant_id, offer.booking_id), (offer.tenant_id, offer.wish_id)
        if offer.reason is not None:
            left[offer.tenant_id, offer.reason] += 1
        elif slot in busy_slots:
            left[offer.tenant_id, "awaits turn"] += 1
        elif wish in busy_wishes:
            left[offer.tenant_id, "has an offer"] += 1
        else:
            busy_slots.add(slot)
            busy_wishes.add(wish)
            made.append(offer)
    return made, [
        LeftOut(tenant_id=tenant, kind="slot_offer", reason=reason, count=count)
        for (tenant, reason), count in sorted(left.items())
    ]


def _compose_win_back(client: WinBack, salon: Salon, *, rules: Rules) -> Message:
    payload = {
        "kind": "win_back",
        "segment": client.segment,
        "last_visit_at": client.last_visit_at,
        "days_since_last_visit": client.days_since_last_visit,
        "avg_visit_interval": client.avg_visit_interval,
        "churn_risk_score": client.churn_risk_score,
        "churn_probability": client.churn_probability,
        "staff_id": client.favourite_staff_id,
    }
    return Message(
        tenant_id=client.tenant_id, message_key=client.message_key, kind="win_back", client_id=client.client_id,
        booking_id=None, wish_id=None, channel=client.channel,
        message_text=_write_win_back(client, salon, name=client.client_name),
        payload=json.dumps(payload, ensure_ascii=False),
        is_held_out=draw_hold_out(client.tenant_id, client.message_key, percent=salon.hold_out_percent),
        created_at=salon.present, send_after=salon.send_after, expires_at=find_expiry(salon, rules=rules),
    )  # fmt: skip


def _compose_offer(offer: Offer, salon: Salon) -> Message:
    assert offer.channel is not None, "an offer without a channel is left out"
    payload = {
        "kind": "slot_offer",
        "visit_at": offer.visit_at.isoformat(),
        "booking_id": offer.booking_id,
        "wish_id": offer.wish_id,
        "service_id": offer.service_id,
        "staff_id": offer.staff_id,
        "is_wished_staff": offer.is_wished_staff,
        "place": offer.place,
    }
    return Message(
        tenant_id=offer.tenant_id, message_key=offer.message_key, kind="slot_offer", client_id=offer.client_id,
        booking_id=offer.booking_id, wish_id=offer.wish_id, channel=offer.channel,
        message_text=_write_offer(offer, salon, name=offer.client_name),
        payload=json.dumps(payload, ensure_ascii=False),
        is_held_out=draw_hold_out(offer.tenant_id, offer.message_key, percent=salon.hold_out_percent),
        created_at=salon.present, send_after=salon.send_after, expires_at=offer.expires_at,
    )  # fmt: skip


def _count(messages: tuple[Message, ...], ended: dict[tuple[str, str, str], int]) -> tuple[TenantQueue, ...]:
    counts = Counter((message.tenant_id, message.kind, message.is_held_out) for message in messages)
    keys = {(tenant, kind) for tenant, kind, _ in (*counts, *ended)}
    return tuple(
        TenantQueue(
            tenant_id=tenant, kind=kind, queued=counts[tenant, kind, False], held_out=counts[tenant, kind, True],
            withdrawn=ended.get((tenant, kind, "withdrawn"), 0), expired=ended.get((tenant, kind, "expired"), 0),
        )
        for tenant, kind in sorted(keys)
    )  # fmt: skip


def _write_win_back(client: WinBack, salon: Salon, *, name: str | None) -> str:
    return write_win_back(
        WinBackText(client_name=name, salon_name=salon.name, is_regular=client.segment == "regular")
    )  # fmt: skip


def _write_offer(offer: Offer, salon: Salon, *, name: str | None) -> str:
    return write_offer(
        OfferText(
            client_name=name, salon_name=salon.name, service_title=offer.service_title, visit_at=offer.local_visit_at
        )
    )


def _show_examples(offers: list[Offer], win_backs: list[WinBack], salons: dict[str, Salon]) -> tuple[str, ...]:
    """Return a few texts as clients will read them, but for their names."""
    texts = [_write_offer(offer, salons[offer.tenant_id], name=mask_name(offer.client_name)) for offer in offers[:1]]
    texts += [
        _write_win_back(client, salons[client.tenant_id], name=mask_name(client.client_name))
        for client in win_backs[: EXAMPLES - len(texts)]
    ]
    return tuple(texts)
