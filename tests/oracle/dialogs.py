"""Which session each message belongs to, and which messages answer (REQUIREMENTS C1, C3; METRICS, "Reply time")."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tests.oracle.local_days import find_day, read_clock
from tests.oracle.numbers import count_milliseconds
from tests.oracle.records import Message, Row, Session, World
from tests.oracle.settings import find_reply_timeout

SESSION_GAP = timedelta(minutes=30)


@dataclass(frozen=True)
class Place:
    """The session that a message belongs to, and how that was found."""

    session_id: UUID
    source: str
    client_id: UUID
    started_at: datetime


def find_window_end(session: Session) -> datetime:
    """Return the end of a session's window: as recorded, else by its duration, never before its start."""
    if session.ended_at is not None:
        return max(session.started_at, session.ended_at)
    if session.duration_sec is not None and session.duration_sec > 0:
        return session.started_at + timedelta(seconds=session.duration_sec)
    return session.started_at


def find_recorded(message: Message, sessions: Iterable[Session]) -> Session | None:
    """Return the archived session of the same tenant that the message names."""
    named = message.session_id if message.session_id is not None else message.legacy_session_id
    for session in sessions:
        if session.session_id == named and session.tenant_id == message.tenant_id:
            return session
    return None


def find_matched(message: Message, sessions: Iterable[Session], named: Counter[UUID]) -> Session | None:
    """Return the session in whose window the message lies.

    Of several, one that misses messages before one that is complete; of these the one that started last.
    """
    fitting = [
        session
        for session in sessions
        if session.tenant_id == message.tenant_id
        and session.user_id == message.user_id
        and session.channel == message.channel
        and session.started_at <= message.created_at <= find_window_end(session)
    ]
    fitting = [session for session in fitting if misses_messages(session, named)] or fitting
    last_start = max((session.started_at for session in fitting), default=None)
    fitting = [session for session in fitting if session.started_at == last_start]
    return min(fitting, key=lambda session: (find_window_end(session), session.session_id.int), default=None)


def misses_messages(session: Session, named: Counter[UUID]) -> bool:
    """Return whether fewer messages name the session than the bot counted, or it did not count."""
    return session.messages_count is None or named[session.session_id] < session.messages_count


def infer_places(strays: Iterable[Message]) -> dict[int, Place]:
    """Group stray messages by idle gaps; a gap of exactly the limit does not part them."""
    threads: dict[tuple[UUID, UUID, str], list[Message]] = defaultdict(list)
    for message in strays:
        threads[message.tenant_id, message.user_id, message.channel].append(message)
    places = {}
    for thread in threads.values():
        thread.sort(key=lambda message: (message.created_at, message.id))
        first = previous = thread[0]
        for message in thread:
            if message.created_at - previous.created_at > SESSION_GAP:
                first = message
            places[message.id] = Place(name_session(first), "inferred", first.user_id, first.created_at)
            previous = message
    return places


def name_session(first: Message) -> UUID:
    """Return the id of the inferred session that opens with this message."""
    text = f"{first.tenant_id}|{first.user_id}|{first.channel}|{first.id}"
    return UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def place_messages(world: World) -> dict[int, Place]:
    """Return the one session of every message."""
    recorded = {message.id: find_recorded(message, world.sessions) for message in world.messages}
    named = Counter(session.session_id for session in recorded.values() if session)
    places, strays = {}, []
    for message in world.messages:
        if session := recorded[message.id]:
            places[message.id] = Place(session.session_id, "recorded", session.user_id, session.started_at)
        elif session := find_matched(message, world.sessions, named):
            places[message.id] = Place(session.session_id, "matched", session.user_id, session.started_at)
        else:
            strays.append(message)
    return places | infer_places(strays)


def compute_dialogs(world: World) -> list[Row]:
    """Return the rows of `dialogs`."""
    places = place_messages(world)
    tenants = {tenant.id: tenant for tenant in world.tenants}
    talks: dict[tuple[UUID, UUID], list[Message]] = defaultdict(list)
    for message in world.messages:
        talks[message.tenant_id, places[message.id].session_id].append(message)
    rows = []
    for talk in talks.values():
        talk.sort(key=lambda message: (message.created_at, message.id))
        times = time_replies(talk, find_reply_timeout(tenants[talk[0].tenant_id]))
        for position, message in enumerate(talk, start=1):
            place, tenant, asked = places[message.id], tenants[message.tenant_id], times.get(message.id)
            rows.append({
                "tenant_id": message.tenant_id,
                "message_id": message.id,
                "session_id": place.session_id,
                "session_source": place.source,
                "session_client_id": place.client_id,
                "client_id": message.user_id,
                "channel": message.channel,
                "position": position,
                "role": message.role,
                "message_text": message.message,
                "sent_at": message.created_at,
                "sent_day": find_day(tenant, message.created_at),
                "session_day": find_day(tenant, place.started_at),
                "response_ms": None if asked is None else count_milliseconds(asked, message.created_at),
                "sent_local": read_clock(tenant, message.created_at),
                "asked_at": asked,
                "asked_day": None if asked is None else find_day(tenant, asked),
            })  # fmt: skip
    return rows


def time_replies(talk: list[Message], timeout: timedelta) -> dict[int, datetime]:
    """Return since when the question of each message that answers had waited: by moment, what was asked in it first.

    The first answer since a question closes it; it is timed unless it comes later than the timeout.
    """
    times: dict[int, datetime] = {}
    waiting_since: datetime | None = None
    for moment in sorted({message.created_at for message in talk}):
        said = [message for message in talk if message.created_at == moment]
        if waiting_since is None and any(message.role == "user" for message in said):
            waiting_since = moment
        answers = [message.id for message in said if message.role == "assistant"]
        if answers and waiting_since is not None:
            if moment - waiting_since <= timeout:
                times[min(answers)] = waiting_since
            waiting_since = None
    return times
