"""The raw tables' rows as frozen records, by the names of the standard's columns (seeds 01 and 02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

Row = dict[str, Any]


@dataclass(frozen=True)
class Tenant:
    """A salon; `metadata` is any JSON."""

    id: UUID
    metadata: Any
    is_active: bool
    created_at: datetime
    name: str = "salon"


@dataclass(frozen=True)
class Client:
    """A client of one salon; `meta` is any JSON."""

    id: UUID
    tenant_id: UUID
    full_name: str | None
    phone: str | None = None
    telegram_chat_id: int | None = None
    whatsapp_id: str | None = None
    meta: Any = None
    created_at: datetime = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Memory:
    """What the bot remembers of a client in the long run."""

    user_id: UUID
    tenant_id: UUID
    preferred_staff_id: str | None = None
    ltm_data: Any = None


@dataclass(frozen=True)
class Session:
    """An archived session; `meta` is any JSON."""

    session_id: UUID
    tenant_id: UUID
    user_id: UUID
    channel: str
    started_at: datetime
    ended_at: datetime | None = None
    duration_sec: int | None = None
    final_status: str = "auto_closed"
    final_intent: str | None = None
    final_summary: str | None = None
    booking_id: str | None = None
    booking_source: str | None = None
    booking_status: str | None = None
    booking_datetime: datetime | None = None
    booking_amount: Decimal | None = None
    booking_currency: str | None = None
    messages_count: int | None = None
    agent_messages_count: int | None = None
    user_messages_count: int | None = None
    meta: Any = None


@dataclass(frozen=True)
class Message:
    """A message; `legacy_session_id` is what it named before the foreign key moved (REQUIREMENTS A3)."""

    id: int
    tenant_id: UUID
    user_id: UUID
    session_id: UUID | None
    legacy_session_id: UUID | None
    role: str
    channel: str
    message: str
    created_at: datetime


@dataclass(frozen=True)
class Wish:
    """A place in the waiting list; `meta` is any JSON."""

    id: int
    tenant_id: UUID
    user_id: UUID
    item_id: str
    created_at: datetime
    meta: Any = None
    item_type: str = "slot_waiting"
    status: str = "pending"
    processed_at: datetime | None = None


@dataclass(frozen=True, repr=False)
class World:
    """Everything that the raw tables hold."""

    tenants: tuple[Tenant, ...] = ()
    clients: tuple[Client, ...] = ()
    sessions: tuple[Session, ...] = ()
    messages: tuple[Message, ...] = ()
    memories: tuple[Memory, ...] = ()
    wishes: tuple[Wish, ...] = ()

    def __repr__(self) -> str:
        return f"<world of {len(self.sessions)} sessions and {len(self.messages)} messages>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Keep hypothesis from printing every row."""
        printer.text(repr(self))
