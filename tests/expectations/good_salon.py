"""One salon whose rows follow every rule of the data standard: what the tests of single rules start from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tests.support.marts import make_id

PRESENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""When checks of good salons take place."""
MET = datetime(2026, 2, 10, 10, 0, tzinfo=UTC)
CLIENTS = ("anna", "olga", "vera")
SESSIONS = ("done", "abandoned", "closed")
Row = dict[str, Any]


def make_session_id(name: str) -> UUID:
    """Return the same UUID version 4 for the same name."""
    return UUID(bytes=make_id(name).bytes, version=4)


def name_rows(salon: str) -> dict[str, UUID]:
    """Return the ids of a salon's rows by what they are, and of some that are not there."""
    return {
        "tenant": make_id(salon),
        **{client: make_id(f"{salon} {client}") for client in CLIENTS},
        **{session: make_session_id(f"{salon} {session}") for session in SESSIONS},
        "new": make_id(f"{salon} new"),
        "new_session": make_session_id(f"{salon} new"),
        "stranger": make_id(f"{salon} stranger"),
    }


def write_good_salon(connection: psycopg.Connection[Any], salon: str, *, number: int = 1) -> None:
    """Insert the salon; ``number`` tells its clients' chats from those of other salons."""
    for table, rows in make_good_salon(salon, number=number):
        columns = list(rows[0])
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
        )
        connection.cursor().executemany(statement, [_adapt(row) for row in rows])


def make_good_salon(salon: str, *, number: int = 1) -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows of each raw table, in the order that foreign keys ask for."""
    ids = name_rows(salon)
    yield "tenants_v2", [_make_tenant(salon)]
    yield "clients_v2", [_make_client(salon, client, number * 10 + place) for place, client in enumerate(CLIENTS)]
    yield "conversation_sessions_v2", list(_make_sessions(ids))
    yield "recent_history_v2", list(_make_messages(ids))
    yield "wishlist_v2", list(_make_wishes(ids))
    yield "active_sessions_v2", [
        {
            "session_id": make_session_id(f"{salon} open"), "tenant_id": ids["tenant"], "user_id": ids["olga"],
            "channel": "whatsapp", "started_at": MET, "last_activity_at": MET, "state": {"step": "greeting"},
        }
    ]  # fmt: skip
    yield "user_ltm_v2", [
        {
            "user_id": ids["anna"], "tenant_id": ids["tenant"], "preferred_staff_id": "4844805",
            "ltm_data": {"likes": "red"}, "last_visit_date": MET, "avg_visit_interval": 21, "churn_risk_score": "0.25",
        }
    ]  # fmt: skip


def _make_tenant(salon: str) -> Row:
    metadata = {
        "yclients": {"company_id": "123456", "branch_id": "789012", "user_token": "encrypted_token"},
        "telegram": {"admin_chat_id": "-1001234567890"},
        "settings": {"closing_time": "21:00", "enable_gap_filtering": True, "timezone": "Europe/Moscow"},
    }
    return {
        "id": make_id(salon), "name": salon, "slug": "good", "is_active": True, "metadata": metadata,
        "created_at": MET, "updated_at": MET,
    }  # fmt: skip


def _make_client(salon: str, client: str, chat: int) -> Row:
    return {
        "id": make_id(f"{salon} {client}"), "tenant_id": make_id(salon), "telegram_chat_id": 700_000 + chat,
        "whatsapp_id": f"79990{chat:06}", "phone": f"79990{chat:06}", "full_name": client.title(), "meta": {},
        "created_at": MET, "updated_at": MET,
    }  # fmt: skip


def _make_sessions(ids: dict[str, UUID]) -> Iterator[Row]:
    booking = {
        "booking_id": "55501", "booking_source": "bot", "booking_status": "confirmed",
        "booking_datetime": MET + timedelta(days=3), "booking_amount": "1500.50", "booking_currency": "RUB",
    }  # fmt: skip
    went_through = {
        "drop_off_stage": None, "services_selected": ["25601439"], "staff_id": "4844805",
        "selected_datetime": "2026-02-13T10:00:00",
    }  # fmt: skip
    stories: tuple[tuple[str, str, str, int, str, Row, Row], ...] = (
        ("done", "anna", "telegram", 4, "booking", booking, went_through),
        ("abandoned", "olga", "whatsapp", 2, "info", {}, {"drop_off_stage": "time_selection"}),
        ("closed", "vera", "telegram", 0, "reschedule", {}, {"drop_off_stage": "service_selection"}),
    )
    for name, client, channel, messages, intent, booked, meta in stories:
        yield {
            "session_id": ids[name], "tenant_id": ids["tenant"], "user_id": ids[client], "channel": channel,
            "started_at": MET, "ended_at": MET + timedelta(minutes=20), "duration_sec": 1200,
            "final_status": "auto_closed" if name == "closed" else name, "final_intent": intent,
            **dict.fromkeys(booking), **booked, "messages_count": messages, "agent_messages_count": messages // 2,
            "user_messages_count": messages // 2, "meta": meta, "created_at": MET + timedelta(minutes=20),
        }  # fmt: skip


def _make_messages(ids: dict[str, UUID]) -> Iterator[Row]:
    for session, client, channel, count in (("done", "anna", "telegram", 4), ("abandoned", "olga", "whatsapp", 2)):
        for place in range(count):
            yield {
                "tenant_id": ids["tenant"], "user_id": ids[client], "session_id": ids[session],
                "role": "assistant" if place % 2 else "user", "channel": channel, "message": f"message {place}",
                "meta": {}, "created_at": MET + timedelta(minutes=place),
            }  # fmt: skip


def _make_wishes(ids: dict[str, UUID]) -> Iterator[Row]:
    slot = {
        "date": "2026-02-28", "service_id": "25601439", "service_title": "Маникюр", "staff_id": "4844805",
        "staff_name": "Андрей", "client_name": "Мария Рублева", "client_phone": "79990001122",
    }  # fmt: skip
    later = MET + timedelta(days=2)
    for status, client, processed_at, amount, preference in (
        ("pending", "anna", None, None, None),
        ("converted", "olga", later, "2000", "morning"),
        ("cancelled", "vera", later, None, "evening"),
    ):
        yield {
            "tenant_id": ids["tenant"], "user_id": ids[client], "item_type": "slot_waiting",
            "item_id": "service_25601439", "source": "slot_hunter", "comment": None, "status": status,
            "processed_at": processed_at, "amount": amount, "meta": {**slot, "time_preference": preference},
            "created_at": MET, "updated_at": processed_at or MET,
        }  # fmt: skip


def _adapt(row: Row) -> Row:
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}
