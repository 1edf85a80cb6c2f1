"""The raw tables' rows as frozen records, by the names of the standard's columns (seed 01, sections 1 to 4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    """A client of one salon."""

    id: UUID
    tenant_id: UUID
    full_name: str | None


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


@dataclass(frozen=True, repr=False)
class World:
    """Everything that the raw tables hold."""

    tenants: tuple[Tenant, ...] = ()
    clients: tuple[Client, ...] = ()
    sessions: tuple[Session, ...] = ()
    messages: tuple[Message, ...] = ()

    def __repr__(self) -> str:
        return f"<world of {len(self.sessions)} sessions and {len(self.messages)} messages>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Keep hypothesis from printing every row."""
        printer.text(repr(self))
