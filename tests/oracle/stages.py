"""How far a session came in the funnel (seed 01, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.oracle.records import Session

STAGES = ("service_selection", "staff_selection", "time_selection", "confirmation")
RECORDED_STAGES = STAGES[:3]


@dataclass(frozen=True)
class Progress:
    """Where the client left, who says so, and how many steps lie behind the session."""

    drop_off_stage: str | None
    source: str | None
    steps_completed: int


def is_booked(session: Session) -> bool:
    """Return whether the session has a booking; a blank one is none."""
    return is_text(session.booking_id)


def meant_to_book(session: Session) -> bool:
    """Return whether a dialogue meant to book: its recorded intent decides, and where there is none any step taken."""
    intent = (session.final_intent or "").strip(" ")
    if not intent:
        return find_progress(session).steps_completed > 0
    return intent.lower() in ("booking", "book", "запись")


def is_text(value: Any) -> bool:
    """Return whether a JSON value is a string with something in it."""
    return isinstance(value, str) and value.strip() != ""


def is_number(value: Any) -> bool:
    """Return whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def infer_stage(meta: Any) -> str:
    """Return the first thing that was not chosen, or `confirmation` when everything was."""
    chosen = meta if isinstance(meta, dict) else {}
    services, staff = chosen.get("services_selected"), chosen.get("staff_id")
    if not ((isinstance(services, list) and services) or is_text(services) or is_number(services)):
        return "service_selection"
    if not (is_text(staff) or is_number(staff)):
        return "staff_selection"
    if not is_text(chosen.get("selected_datetime")):
        return "time_selection"
    return "confirmation"


def find_progress(session: Session) -> Progress:
    """Return how far a session came."""
    if is_booked(session):
        return Progress(None, None, 4)
    implied = infer_stage(session.meta)
    if session.final_status == "done":
        return Progress(None, None, STAGES.index(implied))
    recorded = session.meta.get("drop_off_stage") if isinstance(session.meta, dict) else None
    if isinstance(recorded, str) and recorded in RECORDED_STAGES:
        return Progress(recorded, "recorded", STAGES.index(recorded))
    return Progress(implied, "inferred", STAGES.index(implied))


def read_scalar(value: Any) -> str | None:
    """Return a text or a number as text; anything else says nothing."""
    return str(value).strip() or None if is_text(value) or is_number(value) else None


def read_service(dialogue: Session) -> str | None:
    """Return the first service chosen."""
    services = dialogue.meta.get("services_selected") if isinstance(dialogue.meta, dict) else None
    if isinstance(services, list):
        return read_scalar(services[0] if services else None)
    return read_scalar(services)
