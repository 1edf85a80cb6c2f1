"""The list of sessions, archived and inferred (REQUIREMENTS C2)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tests.oracle.local_days import find_day, read_clock
from tests.oracle.numbers import count_milliseconds
from tests.oracle.records import Row, Session, World
from tests.oracle.stages import find_progress, is_booked, meant_to_book, read_service
from tests.oracle.statuses import read_kind


def compute_sessions(world: World, dialogs: list[Row]) -> list[Row]:
    """Return the rows of `sessions`."""
    tenants = {tenant.id: tenant for tenant in world.tenants}
    names = {(client.tenant_id, client.id): clean_text(client.full_name) for client in world.clients}
    rows = [describe_archived(session, world.sessions, dialogs) for session in world.sessions]
    inferred = {(row["tenant_id"], row["session_id"]) for row in dialogs if row["session_source"] == "inferred"}
    rows += [describe_inferred(*key, dialogs) for key in inferred]
    for row in rows:
        row["client_name"] = names.get((row["tenant_id"], row["client_id"]))
        row["started_day"] = find_day(tenants[row["tenant_id"]], row["started_at"])
        clock = read_clock(tenants[row["tenant_id"]], row["started_at"])
        row |= {"started_local": clock, "started_hour": clock.hour, "started_weekday": clock.isoweekday()}
        row["duration_sec"] = count_seconds(row["started_at"], row["ended_at"])
    return rows


def clean_text(text: str | None) -> str | None:
    """Return a text without the spaces around it; a blank one is none."""
    return (text or "").strip() or None


def count_seconds(start: datetime, end: datetime | None) -> int | None:
    """Return the whole seconds from start to end, where both are known; the rest is cut off."""
    return None if end is None else int(count_milliseconds(start, end) / 1000)


def count_messages(tenant_id: UUID, session_id: UUID, dialogs: list[Row]) -> Row:
    """Return what the history says about a session."""
    talk = [row for row in dialogs if (row["tenant_id"], row["session_id"]) == (tenant_id, session_id)]
    talk.sort(key=lambda row: row["position"])
    replies = [row["response_ms"] for row in talk if row["response_ms"] is not None]
    return {
        "messages_count": len(talk),
        "agent_messages_count": sum(row["role"] == "assistant" for row in talk),
        "user_messages_count": sum(row["role"] == "user" for row in talk),
        "matched_messages_count": sum(row["session_source"] == "matched" for row in talk),
        "first_response_ms": replies[0] if replies else None,
        "response_ms_sum": sum(replies) if replies else None,
        "response_count": len(replies),
    }


def describe_archived(session: Session, sessions: tuple[Session, ...], dialogs: list[Row]) -> Row:
    """Return the row of an archived session, what was recorded beside what was counted."""
    progress, booked = find_progress(session), is_booked(session)
    status = "done" if booked else session.final_status
    siblings = [
        (other.started_at, other.session_id.int)
        for other in sessions
        if (other.tenant_id, other.user_id) == (session.tenant_id, session.user_id)
    ]
    return {
        "tenant_id": session.tenant_id,
        "session_id": session.session_id,
        "client_id": session.user_id,
        "is_inferred": False,
        "is_outreach": False,
        "channel": session.channel,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "recorded_duration_sec": session.duration_sec,
        "recorded_status": session.final_status,
        "status": status,
        "status_source": "recorded" if status == session.final_status else "inferred",
        "intent": session.final_intent,
        "summary": session.final_summary,
        "drop_off_stage": progress.drop_off_stage,
        "drop_off_stage_source": progress.source,
        "steps_completed": progress.steps_completed,
        "is_booking_intended": meant_to_book(session),
        "is_booked": booked,
        "is_booking_cancelled": booked and read_kind(session.booking_status) == "cancelled",
        "booking_id": clean_text(session.booking_id),
        "booking_source": session.booking_source,
        "booking_status": session.booking_status,
        "booking_at": session.booking_datetime,
        "booking_amount": session.booking_amount,
        "booking_currency": (clean_text(session.booking_currency) or "").upper() or None,
        "recorded_messages_count": session.messages_count,
        "recorded_agent_messages_count": session.agent_messages_count,
        "recorded_user_messages_count": session.user_messages_count,
        "service_id": read_service(session),
        "is_first_session": min(siblings) == (session.started_at, session.session_id.int),
        **count_messages(session.tenant_id, session.session_id, dialogs),
    }


def describe_inferred(tenant_id: UUID, session_id: UUID, dialogs: list[Row]) -> Row:
    """Return the row of a session put together from stray messages: nothing was recorded about it."""
    talk = [row for row in dialogs if (row["tenant_id"], row["session_id"]) == (tenant_id, session_id)]
    counts = count_messages(tenant_id, session_id, dialogs)
    unknown = (
        "recorded_duration_sec", "recorded_status", "intent", "summary", "drop_off_stage",
        "drop_off_stage_source", "steps_completed", "is_booking_intended", "booking_id", "booking_source",
        "booking_status", "booking_at", "booking_amount", "booking_currency", "recorded_messages_count", "service_id",
        "recorded_agent_messages_count", "recorded_user_messages_count",
    )  # fmt: skip
    return {
        **dict.fromkeys(unknown),
        "tenant_id": tenant_id,
        "session_id": session_id,
        "client_id": talk[0]["client_id"],
        "is_inferred": True,
        "is_outreach": counts["user_messages_count"] == 0,
        "channel": talk[0]["channel"],
        "started_at": min(row["sent_at"] for row in talk),
        "ended_at": max(row["sent_at"] for row in talk),
        "status": "unknown",
        "status_source": "inferred",
        "is_booked": False,
        "is_booking_cancelled": False,
        "is_first_session": False,
        **counts,
    }
