"""What a digest tells of one salon: sums of final days, what awaits it today, nothing that a client wrote (issue 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

DAYS_DRAWN = 28
"""Days that the picture shows: four of each weekday."""
DAYS = {"daily": 1, "weekly": 7}
"""Days that a digest of a kind is about; before it, as many days a week earlier are what it is compared with."""

Money = Mapping[str, Decimal]
"""Amounts by currency (ISO 4217, `XXX` where none was recorded); never added up (REQUIREMENTS C7)."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One final local day of the salon, as `metrics_dailies` has it: bookings made, replies' times in milliseconds.

    ``intended`` are the dialogs that meant to book, ``intended_bookings`` those of them with a booking.
    """

    day: date
    dialogs: int
    bookings: int
    response_ms_sum: int = 0
    response_count: int = 0
    intended: int = 0
    intended_bookings: int = 0


@dataclass(frozen=True, kw_only=True)
class Span:
    """Final days from ``first`` to ``last``, both inclusive, summed up; ``revenue`` is of kept bookings."""

    first: date
    last: date
    dialogs: int
    bookings: int
    response_ms_sum: int = 0
    response_count: int = 0
    intended: int = 0
    intended_bookings: int = 0
    revenue: Money = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Dialogs that meant to book and ended without it at a stage: service, staff, time or confirmation."""

    stage: str
    lost: int


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """What awaits the salon today: scored bookings of today and tomorrow with what they may cost, wishes, clients.

    ``value`` is the expected loss, price times risk; ``wishes`` those that fit a booking at risk; ``clients`` the
    candidates of `win_back`.
    """

    slots: int
    value: Money
    wishes: int
    clients: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a digest of a kind says of a salon.

    ``days`` are the last final days up to ``span.last``, `DAYS_DRAWN` at most, in order; ``before`` is none where the
    salon is too young for it, ``tasks`` where the digest comes too late for them. ``restated_days`` is the number of
    past days whose published figures changed since the digest before.
    """

    salon: str
    language: str
    kind: str
    days: tuple[Day, ...]
    span: Span
    before: Span | None
    tasks: Tasks | None = None
    drops: tuple[Drop, ...] = ()
    restated_days: int = 0


def sum_days(days: Iterable[Day], *, last: date, count: int, revenue: Money) -> Span | None:
    """Return the ``count`` days up to ``last`` summed up; none where a day of them is missing, or not final."""
    first = last - timedelta(days=count - 1)
    chosen = [day for day in days if first <= day.day <= last]
    if len(chosen) != count:
        return None
    return Span(
        first=first, last=last, revenue=revenue,
        dialogs=sum(day.dialogs for day in chosen), bookings=sum(day.bookings for day in chosen),
        response_ms_sum=sum(day.response_ms_sum for day in chosen),
        response_count=sum(day.response_count for day in chosen),
        intended=sum(day.intended for day in chosen),
        intended_bookings=sum(day.intended_bookings for day in chosen),
    )  # fmt: skip
