"""Clients, wishes and slots: rows of the live views, made ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd

from reports.audiences import Veil
from reports.cells import is_missing
from reports.formats import move_days
from reports.frames.columns import add_columns
from reports.phones import DEFAULT_REGION, list_digits


def list_sessions(sessions: pd.DataFrame, veil: Veil) -> pd.DataFrame:
    """Return the sessions, latest first, with a client's name to show and the result in one word.

    ``result``: ``booked``, ``cancelled`` (booked, and cancelled since), else the session's status.
    """
    named = veil.name_clients(sessions)
    results = [
        "cancelled" if cancelled else "booked" if booked else status
        for cancelled, booked, status in zip(
            named["is_booking_cancelled"].tolist(), named["is_booked"].tolist(), named["status"].tolist(), strict=True
        )
    ]
    return add_columns(named, result=results)


def list_clients(
    persons: pd.DataFrame, monthly: pd.DataFrame, veil: Veil, *, region: str = DEFAULT_REGION
) -> pd.DataFrame:
    """Return the persons, who came last first, with the name of their favourite member of the staff where it is known.

    ``digits`` is all that a search by phone may find them by.
    """
    named = name_favourites(veil.name_clients(persons, key="person_id"), monthly)
    if "phone" in named:
        named = add_columns(named, digits=[list_digits(phone, region) for phone in named["phone"].tolist()])
    return named


def name_favourites(people: pd.DataFrame, monthly: pd.DataFrame) -> pd.DataFrame:
    """Add with whom people like to be, by name where it is known, else by the booking system's number."""
    names = dict(zip(monthly["staff_id"].tolist(), monthly["staff_name"].tolist(), strict=True))
    favourites = people["favourite_staff_id"].tolist()
    return add_columns(
        people,
        favourite_staff=[None if is_missing(staff) else names.get(staff) or f"№ {staff}" for staff in favourites],
    )


def list_win_back(win_back: pd.DataFrame, veil: Veil, *, language: str) -> pd.DataFrame:
    """Return who is to be won back, by segment and turn, with the reason in the page's language."""
    named = veil.name_clients(win_back)
    named = add_columns(named, reason=named["reason_en" if language == "en" else "reason"])
    return named.sort_values(["segment", "place", "value_currency"], ascending=[False, True, True], kind="stable")


def list_slots(slots: pd.DataFrame, matches: pd.DataFrame, veil: Veil, *, language: str) -> pd.DataFrame:
    """Return the risky slots, likeliest to fall free first, with ``waiting_count``: the wishes that would fit."""
    named = veil.name_clients(slots)
    waiting = matches.groupby("booking_id").size().to_dict() if not matches.empty else {}
    return add_columns(
        named,
        reason=named["reason_en" if language == "en" else "reason"],
        service=_choose_title(named, "service"),
        staff=_choose_title(named, "staff"),
        waiting_count=[waiting.get(booking, 0) for booking in named["booking_id"].tolist()],
    )


def list_wishes(waitlist: pd.DataFrame, matches: pd.DataFrame, veil: Veil) -> pd.DataFrame:
    """Return the wishes, longest waiting first and those whose day is over last, with the slots that fit each.

    ``fitting_count`` is how many fit.
    """
    named = veil.name_clients(waitlist.sort_values("is_expired", kind="stable", ignore_index=True))
    fitting = matches.groupby("wish_id").size().to_dict() if not matches.empty else {}
    return add_columns(
        named,
        service=_choose_title(named, "service"),
        staff=_choose_title(named, "staff"),
        fitting_count=[fitting.get(wish, 0) for wish in named["wish_id"].tolist()],
    )


def list_matches(matches: pd.DataFrame, veil: Veil) -> pd.DataFrame:
    """Return the fitting pairs of wish and slot, with names to show."""
    named = veil.name_clients(matches, name="waiting_client_name", key="waiting_client_id")
    named = veil.name_clients(named, name="booked_client_name", key="booked_client_id")
    return add_columns(named, service=_choose_title(named, "service"), staff=_choose_title(named, "staff"))


def list_offers(offers: pd.DataFrame, veil: Veil) -> pd.DataFrame:
    """Return the wishes that fit a slot which is free already."""
    named = veil.name_clients(offers)
    return add_columns(named, service=_choose_title(named, "service"))


@dataclass(frozen=True)
class ExpectedLoss:
    """What is likely to fall free: bookings ahead, how many of them by their risks, and the value by currency."""

    slots: int
    expected: Decimal
    values: dict[str, Decimal]


def expect_loss(slots: pd.DataFrame, *, last_day: date | None, days: int) -> ExpectedLoss:
    """Return what the calibrated risks of the bookings of the next days add up to."""
    slots = choose_near(slots, last_day=last_day, days=days)
    values: dict[str, Decimal] = {}
    for value, currency in zip(slots["value_at_risk_amount"], slots["booking_currency"], strict=True):
        if not is_missing(value):
            values[currency or "XXX"] = values.get(currency or "XXX", Decimal(0)) + value
    return ExpectedLoss(len(slots), sum(slots["risk_score"].tolist(), Decimal(0)), values)


def choose_near(slots: pd.DataFrame, *, last_day: date | None, days: int) -> pd.DataFrame:
    """Return the slots of the next days; all of them where no day was ever final."""
    if last_day is None or slots.empty:
        return slots
    return slots[slots["visit_day"] <= move_days(last_day, days)]


def count_unanswered(sessions: pd.DataFrame, *, last_day: date | None, days: int) -> int:
    """Return the sessions of the last days in which a client wrote and the bot never answered."""
    if last_day is None or sessions.empty:
        return 0
    first = move_days(last_day, 1 - days)
    days_of = [started.date() if started is not None else None for started in sessions["started_at"].tolist()]
    return sum(
        1
        for day, asked, answered in zip(
            days_of, sessions["user_messages_count"].tolist(), sessions["first_response_ms"].tolist(), strict=True
        )
        if day is not None and first <= day <= last_day and asked and is_missing(answered)
    )


def _choose_title(frame: pd.DataFrame, thing: str) -> list[str | None]:
    """A title where one is known, else the number that the booking system gave it."""
    titles = frame[f"{thing}_title" if thing == "service" else f"{thing}_name"].tolist() if _has(frame, thing) else []
    identities = frame[f"{thing}_id"].tolist()
    titles = titles or [None] * len(identities)
    return [
        title if not is_missing(title) else (f"№ {identity}" if identity else None)
        for title, identity in zip(titles, identities, strict=True)
    ]


def _has(frame: pd.DataFrame, thing: str) -> bool:
    return (f"{thing}_title" if thing == "service" else f"{thing}_name") in frame
