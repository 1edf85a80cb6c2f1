"""Bookings, one row each, and what became of them (docs/decisions.md, "Visits")."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from tests.oracle.local_days import find_day, find_end, read_clock
from tests.oracle.numbers import count_milliseconds
from tests.oracle.persons import People
from tests.oracle.records import Row, Session, Tenant, World
from tests.oracle.sessions import clean_text
from tests.oracle.settings import find_late_hours
from tests.oracle.stages import read_scalar, read_service
from tests.oracle.statuses import STANDING, read_kind

HOUR = 3_600_000

Key = tuple[UUID, str]
Told = TypeVar("Told")


@dataclass(frozen=True)
class Booking:
    """A booking and the dialogues that name it, the first one first."""

    tenant_id: UUID
    booking_id: str
    dialogues: tuple[Session, ...]

    @property
    def client_id(self) -> UUID:
        """Whose it is: the client of the last dialogue."""
        return self.dialogues[-1].user_id

    @property
    def booked_at(self) -> datetime:
        """When it was made."""
        return self.dialogues[0].started_at

    @property
    def visit_at(self) -> datetime | None:
        """The time told last."""
        return self.find_last(lambda dialogue: dialogue.booking_datetime)

    @property
    def status(self) -> str | None:
        """The status told last."""
        return self.find_last(lambda dialogue: read_status(dialogue.booking_status))

    @property
    def kind(self) -> str | None:
        """What that status says."""
        return read_kind(self.status)

    @property
    def visit_kind(self) -> str | None:
        """What was told last of the visit itself."""
        return self.find_last(lambda dialogue: read_kind(read_meta(dialogue, "visit_status")))

    @property
    def slot_taken_at(self) -> datetime:
        """Since when it has its time: the last dialogue that told another one than before."""
        told = [dialogue for dialogue in self.dialogues if dialogue.booking_datetime]
        changed = [after for before, after in pairwise(told) if before.booking_datetime != after.booking_datetime]
        return changed[-1].started_at if changed else self.booked_at

    def find_last(self, read: Callable[[Session], Told | None]) -> Told | None:
        """Return what the last dialogue that says something says."""
        said = [value for dialogue in self.dialogues if (value := read(dialogue)) is not None]
        return said[-1] if said else None

    def count_moves(self) -> int:
        """Return how often it was told with another time than before."""
        times = [dialogue.booking_datetime for dialogue in self.dialogues if dialogue.booking_datetime]
        return sum(before != after for before, after in pairwise(times))


@dataclass(frozen=True)
class Move:
    """One booking takes the place of another."""

    moved_to: str
    moved_at: datetime
    session_id: UUID
    is_told: bool


def read_status(text: str | None) -> str | None:
    """Return a status in lower case."""
    return (clean_text(text) or "").lower() or None


def read_meta(dialogue: Session, name: str) -> str | None:
    """Return a text or a number of `meta` as text."""
    return read_scalar(dialogue.meta.get(name) if isinstance(dialogue.meta, dict) else None)


def read_intent(dialogue: Session) -> str | None:
    """Return what the dialogue is about."""
    return read_status(dialogue.final_intent)


def group_bookings(sessions: Iterable[Session]) -> dict[Key, Booking]:
    """Return the bookings that dialogues name."""
    named: dict[Key, list[Session]] = defaultdict(list)
    for session in sorted(sessions, key=lambda session: (session.started_at, session.session_id.int)):
        if booking_id := clean_text(session.booking_id):
            named[session.tenant_id, booking_id].append(session)
    return {key: Booking(*key, tuple(dialogues)) for key, dialogues in named.items()}


def find_cancellation(booking: Booking, own: list[Session]) -> datetime | None:
    """Return when a cancelled booking was cancelled, as far as a dialogue of its client tells it."""
    if booking.kind != "cancelled":
        return None
    naming = [dialogue.started_at for dialogue in own if cancels(dialogue, booking.booking_id)]
    silent = [
        dialogue.started_at
        for dialogue in own
        if read_intent(dialogue) == "cancel"
        and not names_a_booking(dialogue)
        and booking.visit_at is not None
        and booking.booked_at < dialogue.started_at < booking.visit_at
    ]
    return min(naming or silent, default=None)


def cancels(dialogue: Session, booking_id: str) -> bool:
    """Return whether a dialogue says that it cancels this booking."""
    return read_meta(dialogue, "cancelled_booking_id") == booking_id or (
        clean_text(dialogue.booking_id) == booking_id and read_intent(dialogue) == "cancel"
    )


def names_a_booking(dialogue: Session) -> bool:
    """Return whether a dialogue names any booking in any way."""
    named = (read_meta(dialogue, name) for name in ("cancelled_booking_id", "rescheduled_from"))
    return clean_text(dialogue.booking_id) is not None or any(named)


def find_all_moves(
    talks: dict[tuple[UUID, UUID], list[Session]], bookings: dict[Key, Booking], people: People
) -> dict[Key, Move]:
    """Return which bookings were moved, and did not come back: the move that counts of each."""
    moves: dict[Key, list[Move]] = defaultdict(list)
    arrivals: dict[Key, datetime] = {}
    for (tenant_id, person_id), own in talks.items():
        for older, found in list_moves(own, bookings).items():
            if (tenant_id, older) not in bookings:
                continue
            if name_user(people, bookings[tenant_id, older].dialogues[-1]) != person_id:
                continue
            moves[tenant_id, older] += found
            for move in found:
                key = tenant_id, move.moved_to
                arrivals[key] = max(arrivals.get(key, move.moved_at), move.moved_at)
    left = {
        key: [move for move in found if key not in arrivals or move.moved_at > arrivals[key]]
        for key, found in moves.items()
    }
    return {
        key: min(found, key=lambda move: (not move.is_told, move.moved_at, move.session_id.int))
        for key, found in left.items()
        if found
    }


def list_moves(own: list[Session], bookings: dict[Key, Booking]) -> dict[str, list[Move]]:
    """Return all that the dialogues of one person move, by the booking that goes."""
    moves: dict[str, list[Move]] = defaultdict(list)
    for dialogue in own:
        newer = clean_text(dialogue.booking_id)
        if newer is None:
            continue
        older, is_told = read_meta(dialogue, "rescheduled_from"), True
        if older is None and read_intent(dialogue) == "reschedule":
            is_made = bookings[dialogue.tenant_id, newer].dialogues[0] == dialogue
            older, is_told = find_replaced(dialogue, own, bookings) if is_made else None, False
        if older is not None and older != newer:
            moves[older].append(Move(newer, dialogue.started_at, dialogue.session_id, is_told))
    return moves


def find_replaced(dialogue: Session, own: list[Session], bookings: dict[Key, Booking]) -> str | None:
    """Return the booking that a new one replaces: ahead and not cancelled, the one booked last."""
    fitting = [
        booking
        for booking in bookings.values()
        if booking.tenant_id == dialogue.tenant_id
        and booking.client_id in {talk.user_id for talk in own}
        and booking.booking_id != clean_text(dialogue.booking_id)
        and booking.booked_at < dialogue.started_at
        and booking.visit_at is not None
        and booking.visit_at > dialogue.started_at
        and ((cancelled_at := find_cancellation(booking, own)) is None or cancelled_at >= dialogue.started_at)
    ]
    last = max((booking.booked_at for booking in fitting), default=None)
    return min((booking.booking_id for booking in fitting if booking.booked_at == last), default=None)


def compute_visits(world: World, people: People, as_of: date) -> list[Row]:
    """Return the rows of `visits`."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    bookings = group_bookings(world.sessions)
    talks: dict[tuple[UUID, UUID], list[Session]] = defaultdict(list)
    for session in world.sessions:
        talks[session.tenant_id, name_user(people, session)].append(session)
    moves = find_all_moves(talks, bookings, people)
    rows = []
    for key, booking in bookings.items():
        person_id = name_user(people, booking.dialogues[-1])
        cancelled_at = find_cancellation(booking, talks[booking.tenant_id, person_id])
        row = describe_booking(booking, moves.get(key), cancelled_at, tenants[booking.tenant_id], as_of)
        first = find_first(booking, bookings, moves)
        row["person_id"] = person_id
        row["first_booking_id"] = first.booking_id
        row["first_booked_at"] = first.booked_at
        row["first_booked_day"] = find_day(tenants[booking.tenant_id], first.booked_at)
        row["first_booking_source"] = read_source(first)
        rows.append(row)
    number_visits(rows)
    return rows


def name_user(people: People, dialogue: Session) -> UUID:
    """Return the person who leads a dialogue."""
    return people.get((dialogue.tenant_id, dialogue.user_id), dialogue.user_id)


def find_first(booking: Booking, bookings: dict[Key, Booking], moves: dict[Key, Move]) -> Booking:
    """Return the booking made first of all whose moves lead to the same one."""
    last = find_last(booking, bookings, moves)
    related = [
        bookings[key]
        for key in {*moves, (last.tenant_id, last.booking_id)}
        if key[0] == booking.tenant_id and find_last(bookings[key], bookings, moves) == last
    ]
    return min(related, key=lambda other: (other.booked_at, other.booking_id))


def find_last(booking: Booking, bookings: dict[Key, Booking], moves: dict[Key, Move]) -> Booking:
    """Return the booking that a booking was moved to in the end, or itself."""
    while move := moves.get((booking.tenant_id, booking.booking_id)):
        booking = bookings[booking.tenant_id, move.moved_to]
    return booking


def read_source(booking: Booking) -> str | None:
    """Return who made it, as the first dialogue that says so has it."""
    return next(filter(None, (clean_text(dialogue.booking_source) for dialogue in booking.dialogues)), None)


def describe_booking(
    booking: Booking, move: Move | None, cancelled_at: datetime | None, tenant: Tenant, as_of: date
) -> Row:
    """Return the row of one booking, but for whose it is and its place among their visits."""
    first, visit_at = booking.dialogues[0], booking.visit_at
    outcome, source = judge(booking, move, find_end(tenant, as_of))
    freed = [moment for moment in (move.moved_at if move else None, cancelled_at) if moment is not None]
    released_at = min(freed, default=None) if outcome in ("moved", "cancelled") else None
    amount, currency = booking.find_last(read_price) or (None, None)
    return {
        "tenant_id": booking.tenant_id,
        "booking_id": booking.booking_id,
        "client_id": booking.client_id,
        "session_id": first.session_id,
        "channel": first.channel,
        "booking_source": read_source(booking),
        "booked_at": booking.booked_at,
        "booked_day": find_day(tenant, booking.booked_at),
        "visit_at": visit_at,
        "visit_day": None if visit_at is None else find_day(tenant, visit_at),
        "booked_local": read_clock(tenant, booking.booked_at),
        "visit_local": None if visit_at is None else read_clock(tenant, visit_at),
        "visit_hour": None if visit_at is None else read_clock(tenant, visit_at).hour,
        "visit_weekday": None if visit_at is None else read_clock(tenant, visit_at).isoweekday(),
        "lead_time_days": None if visit_at is None else (visit_at - booking.booked_at).days,
        "service_id": booking.find_last(read_service),
        "staff_id": booking.find_last(lambda dialogue: read_meta(dialogue, "staff_id")),
        "booking_amount": amount,
        "booking_currency": currency,
        "booking_status": booking.status,
        "outcome": outcome,
        "outcome_source": source,
        "is_visit": outcome == "arrived",
        "released_at": released_at,
        "is_released_late": None
        if released_at is None or visit_at is None
        else count_milliseconds(released_at, visit_at) < find_late_hours(tenant) * HOUR,
        "times_moved": booking.count_moves(),
        "moved_to_booking_id": move.moved_to if move else None,
        "status_kind": booking.kind,
        "is_kept": outcome in ("upcoming", "arrived") or (outcome == "unknown" and booking.kind in STANDING),
        "slot_taken_at": booking.slot_taken_at,
    }


def read_price(dialogue: Session) -> tuple[Decimal, str | None] | None:
    """Return a price and its currency."""
    if dialogue.booking_amount is None:
        return None
    return dialogue.booking_amount, (clean_text(dialogue.booking_currency) or "").upper() or None


def judge(booking: Booking, move: Move | None, moment: datetime) -> tuple[str, str | None]:
    """Return what became of a booking, and who says so."""
    said = {booking.kind, booking.visit_kind}
    if move:
        return "moved", "recorded" if move.is_told else "inferred"
    if booking.kind == "cancelled":
        return "cancelled", "recorded"
    if booking.visit_at is None:
        return "unknown", None
    if booking.kind == "unknown" and booking.visit_kind not in ("no_show", "arrived"):
        return "unknown", None
    if booking.visit_at >= moment:
        return "upcoming", None
    if "no_show" in said:
        return "no_show", "recorded"
    if "arrived" in said:
        return "arrived", "recorded"
    if booking.kind == "confirmed":
        return "arrived", "presumed"
    return "unknown", None


def number_visits(rows: list[Row]) -> None:
    """Say of each visit the how-manieth of its person it is, and when the one before was."""
    latest: dict[tuple[UUID, UUID], list[datetime]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["is_visit"] and row["visit_at"].timestamp(), row["booking_id"])):
        earlier = latest[row["tenant_id"], row["person_id"]]
        row["visit_number"] = row["previous_visit_at"] = None
        if row["is_visit"]:
            row["visit_number"] = len(earlier) + 1
            row["previous_visit_at"] = earlier[-1] if earlier else None
            earlier.append(row["visit_at"])
