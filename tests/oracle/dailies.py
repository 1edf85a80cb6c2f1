"""The daily marts: everything counts on the day on which its session started (REQUIREMENTS C4, C5, C7)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.oracle.numbers import compute_mean, compute_percent, compute_percentile
from tests.oracle.records import Row

DayKey = tuple[UUID, date]


def compute_metrics(days: list[Row], sessions: list[Row], dialogs: list[Row], visits: list[Row]) -> list[Row]:
    """Return the rows of `metrics_dailies` (seed 02, feature 5)."""
    started, sent = group_days(sessions, "started_day"), group_days(dialogs, "sent_day")
    made = group_days(visits, "first_booked_day")
    replies: dict[Any, list[int]] = defaultdict(list)
    for row in dialogs:
        if row["response_ms"] is not None:
            replies[row["tenant_id"], row["session_id"]].append(row["response_ms"])
    return [
        {**describe_day(day, started[name_day(day)], sent[name_day(day)], replies), **count_made(made[name_day(day)])}
        for day in days
    ]


def count_made(made: list[Row]) -> Row:
    """Return how many bookings were made, moved and cancelled, whoever made them and by who did."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("new_bookings", "moves", "cancellations")}
    for visit in made:
        source = (visit["first_booking_source"] or "unknown").lower()
        counts["new_bookings"][source] += visit["outcome"] != "moved"
        counts["moves"][source] += (visit["outcome"] == "moved") + visit["times_moved"]
        counts["cancellations"][source] += visit["outcome"] == "cancelled"
    totals = {name: found.total() for name, found in counts.items()}
    return {**totals, **{f"{name}_by_source": dict(+found) for name, found in counts.items()}}


def group_days(rows: list[Row], day: str) -> dict[DayKey, list[Row]]:
    """Return rows by tenant and day."""
    groups: dict[DayKey, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["tenant_id"], row[day]].append(row)
    return groups


def name_day(day: Row) -> DayKey:
    """Return a tenant-day's key."""
    return day["tenant_id"], day["day"]


def describe_day(day: Row, started: list[Row], sent: list[Row], replies_of: dict[Any, list[int]]) -> Row:
    """Return one tenant's measures of one day, from the sessions begun and the messages sent on it."""
    archived = [row for row in started if not row["is_inferred"]]
    inferred = [row for row in started if row["is_inferred"]]
    ids = {(row["tenant_id"], row["session_id"]) for row in archived}
    replies = [reply for session in ids for reply in replies_of.get(session, [])]
    bookings = count_rows(archived, is_booked=True)
    return {
        **day,
        "dialogs_started": len(archived),
        "bookings": bookings,
        "conversion": compute_percent(bookings, len(archived)) or Decimal(0),
        "avg_response_ms": compute_mean(replies),
        "response_ms_sum": sum(replies) if replies else None,
        "response_count": len(replies),
        "median_response_ms": compute_percentile(replies, 0.5),
        "p90_response_ms": compute_percentile(replies, 0.9),
        "cancelled_bookings": count_rows(archived, is_booked=True, booking_status="cancelled"),
        "unique_clients": len({row["client_id"] for row in archived}),
        "new_clients": count_rows(archived, is_first_session=True),
        "inferred_sessions": len(inferred),
        "outreach_sessions": count_rows(inferred, is_outreach=True),
        "messages": len(sent),
        "user_messages": count_rows(sent, role="user"),
        "agent_messages": count_rows(sent, role="assistant"),
        "intended_dialogs": count_rows(archived, is_booking_intended=True),
        "intended_bookings": count_rows(archived, is_booking_intended=True, is_booked=True),
        "intended_conversion": compute_percent(
            count_rows(archived, is_booking_intended=True, is_booked=True),
            count_rows(archived, is_booking_intended=True),
        ),
    }


def compute_funnel(days: list[Row], sessions: list[Row]) -> list[Row]:
    """Return the rows of `funnel_daily`: days and channels with archived sessions."""
    rows, archived = [], group_archived(sessions)
    for day in days:
        started = archived[name_day(day)]
        for channel in {row["channel"] for row in started}:
            funnel = describe_funnel([row for row in started if row["channel"] == channel])
            rows.append({**day, "channel": channel, **funnel})
    return rows


def describe_funnel(archived: list[Row]) -> Row:
    """Return the steps, their rates and the drop-offs of those that meant to book, and how many others there were."""
    started = [row for row in archived if row["is_booking_intended"]]
    others = [row for row in archived if not row["is_booking_intended"]]
    guessed = [row for row in started if row["drop_off_stage_source"] == "inferred"]
    reached = [sum(row["steps_completed"] >= step for row in started) for step in range(5)]
    return {
        "sessions_started": reached[0],
        "chose_service": reached[1],
        "chose_staff": reached[2],
        "chose_time": reached[3],
        "booked": reached[4],
        "service_step_percent": compute_percent(reached[1], reached[0]),
        "staff_step_percent": compute_percent(reached[2], reached[1]),
        "time_step_percent": compute_percent(reached[3], reached[2]),
        "booking_step_percent": compute_percent(reached[4], reached[3]),
        "total_conversion_percent": compute_percent(reached[4], reached[0]),
        "dropped_at_service": count_rows(started, drop_off_stage="service_selection"),
        "dropped_at_staff": count_rows(started, drop_off_stage="staff_selection"),
        "dropped_at_time": count_rows(started, drop_off_stage="time_selection"),
        "dropped_at_confirmation": count_rows(started, drop_off_stage="confirmation"),
        "inferred_drop_offs": count_rows(started, drop_off_stage_source="inferred"),
        "done_without_booking": count_rows(started, status="done", is_booked=False),
        "other_sessions": len(others),
        "other_booked": count_rows(others, is_booked=True),
        "inferred_at_service": count_rows(guessed, drop_off_stage="service_selection"),
        "inferred_at_staff": count_rows(guessed, drop_off_stage="staff_selection"),
        "inferred_at_time": count_rows(guessed, drop_off_stage="time_selection"),
    }


def compute_revenue(days: list[Row], visits: list[Row]) -> list[Row]:
    """Return the rows of `revenue_daily`: what was booked by the day it was made, earned by the day of the visit."""
    standing = [visit for visit in visits if visit["outcome"] != "moved"]
    made = group_days(standing, "first_booked_day")
    visited = group_days([visit for visit in visits if visit["outcome"] == "arrived"], "visit_day")
    rows = []
    for day in days:
        booked, earned = made[name_day(day)], visited[name_day(day)]
        rows += [
            {
                **day,
                "currency": currency,
                **sum_booked([visit for visit in booked if name_currency(visit) == currency]),
                **sum_earned([visit for visit in earned if name_currency(visit) == currency]),
            }
            for currency in {name_currency(visit) for visit in (*booked, *earned)}
        ]
    return rows


def name_currency(visit: Row) -> str:
    """Return the currency of a booking, or that it has none."""
    return visit["booking_currency"] or "XXX"


def sum_booked(booked: list[Row]) -> Row:
    """Return what bookings of one currency cost, by what became of them."""
    kept = [visit for visit in booked if visit["is_kept"]]
    lost = [visit for visit in booked if not visit["is_kept"]]
    parts = {
        name: [visit for visit in lost if visit["outcome"] == name] for name in ("cancelled", "no_show", "unknown")
    }
    assert len(booked) == len(kept) + sum(map(len, parts.values()))
    return {
        "booked_count": len(booked),
        "booked_amount": sum_amounts(booked),
        "kept_bookings": len(kept),
        "kept_amount": sum_amounts(kept),
        "cancelled_bookings": len(parts["cancelled"]),
        "cancelled_amount": sum_amounts(parts["cancelled"]),
        "no_show_count": len(parts["no_show"]),
        "no_show_amount": sum_amounts(parts["no_show"]),
        "unknown_count": len(parts["unknown"]),
        "unknown_amount": sum_amounts(parts["unknown"]),
        "bookings_without_amount": count_rows(booked, booking_amount=None),
    }


def sum_earned(earned: list[Row]) -> Row:
    """Return what visits of one currency brought, and what of it somebody recorded."""
    recorded = [visit for visit in earned if visit["outcome_source"] == "recorded"]
    return {
        "earned_count": len(earned),
        "earned_amount": sum_amounts(earned),
        "earned_recorded_count": len(recorded),
        "earned_recorded_amount": sum_amounts(recorded),
        "earned_without_amount": count_rows(earned, booking_amount=None),
    }


def group_archived(sessions: list[Row]) -> dict[DayKey, list[Row]]:
    """Return the archived sessions by tenant and the day on which they started."""
    return group_days([row for row in sessions if not row["is_inferred"]], "started_day")


def sum_amounts(rows: list[Row]) -> Decimal:
    """Return the sum of the amounts that are known."""
    return sum((row["booking_amount"] for row in rows if row["booking_amount"] is not None), Decimal(0))


def count_rows(rows: list[Row], **wanted: Any) -> int:
    """Return how many rows hold these values."""
    return sum(all(row[name] == value for name, value in wanted.items()) for row in rows)
