"""A salon with clients of every kind, built once; each test works on a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from activation.candidates import Rules
from activation.runs import ActivationReport, activate
from agentp.settings import Settings
from tests.agentp.conftest import run_command as run_command
from tests.support.marts import Workshop, make_id

NOON = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
"""Noon in Moscow, half a day after what the marts are built as of."""
NEXT_DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Salon(Workshop):
    """A workshop whose marts are built and scored."""

    def activate(self, as_of: date = NOON, *, dry: bool = False, **rules: Any) -> ActivationReport:
        """Run activation as of noon, unless told otherwise."""
        return activate(self.url, as_of=as_of, is_applied=not dry, rules=Rules(**rules))

    def outbox(self, kind: str = "%") -> dict[str, dict[str, Any]]:
        """Return the outbox by client name; whoever has several messages stands with the last."""
        rows = self.execute(
            "select outbox.*, clients.full_name from dashboard.outbox as outbox "
            "join clients_v2 as clients on clients.id = outbox.client_id where kind like %s "
            "order by created_at, message_key",
            [kind],
        )
        return {row["full_name"]: row for row in rows}

    def set_settings(self, tenant: str = "salon", **settings: Any) -> None:
        """Change some of `metadata.settings`."""
        self.execute(
            "update tenants_v2 set metadata = jsonb_set(metadata, '{settings}', metadata -> 'settings' || %s) "
            "where id = %s",
            [Jsonb(settings), make_id(tenant)],
        )

    def book(self, client: str, booking: str, visit_at: str, *, tenant: str = "salon", **columns: Any) -> None:
        """Add a dialogue of two minutes in which a client books; a day before the visit unless told otherwise."""
        started_at = columns.pop("started_at", None) or datetime.fromisoformat(visit_at).replace(hour=5)
        self.add_session(
            f"{tenant} {booking} {started_at}", started_at, started_at, tenant=tenant, client=client,
            booking_id=booking, booking_datetime=visit_at,
            **{"booking_status": "confirmed", "final_status": "done", **columns},
        )  # fmt: skip

    def wish(self, client: str, wish_id: int, day: str, created_at: str, **meta: Any) -> None:
        """Add a wish for service s1."""
        self.insert(
            "wishlist_v2",
            [
                {
                    "id": wish_id, "tenant_id": make_id("salon"), "user_id": make_id(client),
                    "item_type": "slot_waiting", "item_id": "service_s1", "created_at": created_at,
                    "meta": {"service_id": "s1", "service_title": "Стрижка", "date": day, **meta},
                }
            ],
        )  # fmt: skip

    def score(self) -> None:
        """Write a score for every client with a visit, as `agentp score` would."""
        self.execute(
            "insert into scoring.client_scores select tenant_id, client_id, 0.5, 30, 30, 1, '2026-02-28' "
            "from dashboard.clients where visits_count > 0 on conflict do nothing"
        )


def fill(salon: Salon) -> None:
    """Write the salon, and another with the same chats.

    As of the end of February: `regular` comes every 14 days and was last there 44 days ago; `once` 49 days ago.
    """
    for name, zone in (("salon", "Europe/Moscow"), ("other", "Asia/Vladivostok")):
        salon.add_tenant(name, metadata={"settings": {"timezone": zone, "hold_out_percent": 0}})
    chats = {
        "regular": 1, "once": 2, "once lately": 3, "booked": 4, "refusing": 5, "whatsapp": 7, "fresh": 8,
        "twin seen first": 9, "twin seen last": 9, "giver": 10, "first waiting": 11, "second waiting": 12,
        "long gone": 13,
    }  # fmt: skip
    for name, chat in chats.items():
        meta: dict[str, Any] = {"consent": {"marketing": False}} if name == "refusing" else {}
        salon.add_client("salon", name, telegram_chat_id=chat, meta=meta)
    salon.add_client("salon", "unreachable", phone="+79990000000")
    salon.add_client("other", "stranger", telegram_chat_id=1)
    salon.execute("update clients_v2 set whatsapp_id = 'w7' where full_name = 'whatsapp'")
    for name in ("regular", "booked", "refusing", "unreachable", "whatsapp", "twin seen last"):
        channel = "whatsapp" if name == "whatsapp" else "telegram"
        salon.book(name, f"{name} 1", "2026-01-01 10:00+00", channel="telegram")
        salon.book(name, f"{name} 2", "2026-01-15 10:00+00", channel=channel)
    salon.book("stranger", "stranger 1", "2026-01-15 10:00+00", tenant="other")
    salon.book("twin seen first", "twin 1", "2026-01-10 10:00+00")
    salon.book("once", "once 1", "2026-01-10 10:00+00")
    salon.book("once lately", "once lately 1", "2026-01-25 10:00+00")
    salon.book("fresh", "fresh 1", "2026-02-25 10:00+00")
    salon.book("long gone", "long gone 1", "2024-01-25 10:00+00")
    salon.book("booked", "booked 3", "2026-03-10 10:00+00", started_at="2026-02-20 10:00+00")
    slot: dict[str, Any] = {
        "meta": {"services_selected": ["s1"], "staff_id": "m1"},
        "booking_amount": 1500,
        "booking_currency": "RUB",
    }
    salon.book("giver", "freed", "2026-03-05 11:00+00", started_at="2026-02-20 10:00+00", **slot)
    salon.book(
        "giver", "freed", "2026-03-05 11:00+00", started_at="2026-02-27 10:00+00",
        **{**slot, "booking_status": "cancelled"},
    )  # fmt: skip
    salon.wish("second waiting", 2, "2026-03-05", "2026-02-22 10:00+00")
    salon.wish("first waiting", 1, "2026-03-05", "2026-02-21 10:00+00")
    salon.build()
    salon.score()


@pytest.fixture(scope="session")
def _filled(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with the salon, built once for all tests."""
    url = make_database(built_template)
    fill(Salon(url=url, settings=Settings(home=home, database_url=url)))
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def salon(open_database: Callable[[str | None], str], _filled: str, home: Path) -> Salon:
    """A copy of the salon."""
    url = open_database(_filled)
    return Salon(url=url, settings=Settings(home=home, database_url=url))
