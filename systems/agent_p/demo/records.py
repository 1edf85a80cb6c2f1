"""What the simulation remembers of bookings, sessions and wishes until they are written.

Instants are epoch seconds, days are day numbers (see `zones`), amounts whole units of the salon's currency.
"""

from dataclasses import dataclass, field
from typing import Self

from .catalogue import Service, Staff
from .people import Client


@dataclass(slots=True, eq=False)
class Booking:
    """An appointment. `local` is its start on the salon's clock; `missed`: the client will not come.

    `retold`: it was moved to another time under its own id, so that nobody cancelled this one.
    """

    id: str
    client: Client
    staff: Staff
    services: tuple[Service, ...]
    day: int
    minute: int
    starts: int
    local: str
    amount: int
    source: str
    cancelled: bool = False
    missed: bool = False
    retold: bool = False

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return sum(service.minutes for service in self.services)


@dataclass(slots=True, eq=False)
class Session:
    """One archived dialogue. `status` is what a right bot writes; the legacy era overrides it."""

    id: str
    client: Client
    channel: str
    started: int
    last: int
    closed: int
    status: str
    intent: str
    summary: str
    agent: int
    user: int
    stage: str | None = None
    booking: Booking | None = None
    services: tuple[Service, ...] = ()
    staff: Staff | None = None
    extra: dict[str, str] = field(default_factory=dict)
    flaw: str = ""


@dataclass(slots=True, eq=False)
class Wish:
    """A place in the waiting list."""

    client: Client
    service: Service
    staff: Staff | None
    day: int
    part: str | None
    source: str
    comment: str | None
    created: int
    status: str = "pending"
    processed: int | None = None
    amount: int | None = None
    offered: bool = False


@dataclass(slots=True, eq=False)
class OpenSession:
    """A row of active_sessions_v2: a dialogue the bot still holds, or forgot to drop."""

    id: str
    client: Client
    channel: str
    started: int
    last: int
    stage: str

    @classmethod
    def left_behind(cls, session: Session) -> Self:
        """The row of a session that was archived and never removed."""
        stage = session.stage or "done"
        return cls(session.id, session.client, session.channel, session.started, session.last, stage)
