"""Services and staff: what is booked, who comes, what it brings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import pandas as pd

from reports.cells import is_missing
from reports.formats import NO_CURRENCY, move_days
from reports.frames.comparisons import FEWEST

COUNTS = (
    "bookings_count", "arrived_count", "no_show_count", "cancelled_count", "unknown_count", "upcoming_count",
    "presumed_count", "late_cancelled_count",
)  # fmt: skip


def sum_visits(monthly: pd.DataFrame, *, by: Literal["service", "staff"], last_day: date | None) -> pd.DataFrame:
    """Return one row a service, or staff member, over twelve months and what is ahead, most visits first.

    ``arrived_amount`` is what the visits with a known price brought in ``currency``, the one that most of them are
    priced in; ``others`` the amounts in further currencies, as a tuple of amount and currency. Where no price is known
    there is no amount, and no currency. ``missed_share`` is no-shows among those whose visit was due, arrived, not come
    or given up late, as `visit_rates` counts it (METRICS, "No-show rate"); none of fewer than `FEWEST`, nor where fewer
    of those who came or missed were recorded than the salon asks for: who is presumed to have come says nothing.
    """
    key, title = ("service_id", "service_title") if by == "service" else ("staff_id", "staff_name")
    names = [key, title, *COUNTS, "arrived_amount", "currency", "others", "missed_share"]
    if last_day is not None and not monthly.empty:
        # Eleven months before the first of this month are 333 to 337 days: 330 lead into the first days of that month.
        first = move_days(last_day.replace(day=1), -330).replace(day=1)
        monthly = monthly[monthly["visit_month"] >= first]
    rows = []
    # The salon's setting, the same in every row.
    percent = int(max(monthly["recorded_attendance_percent"].tolist(), default=0))
    for identity, chosen in monthly.groupby(key, sort=True):
        # Titles of the same id may change between months; the latest is shown.
        titles = [text for text in chosen[title].tolist() if not is_missing(text)]
        amounts = _sum_amounts(chosen)
        counts = {name: int(chosen[name].sum()) for name in COUNTS}
        rows.append({
            key: identity, title: titles[0] if titles else (f"№ {identity}" if identity else None), **counts,
            "arrived_amount": amounts[0][0] if amounts else None, "currency": amounts[0][1] if amounts else None,
            "others": tuple(amounts[1:]),
            "missed_share": _share(
                counts["no_show_count"], attended=counts["no_show_count"] + counts["arrived_count"],
                late=counts["late_cancelled_count"], presumed=counts["presumed_count"], percent=percent,
            ),
        })  # fmt: skip
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    return frame.sort_values(
        ["arrived_count", "bookings_count", key], ascending=[False, False, True], kind="stable"
    ).reset_index(drop=True)


def _sum_amounts(monthly: pd.DataFrame) -> list[tuple[Decimal, str]]:
    """Amounts of visits with a known price by currency, that of most of them first and of none last."""
    found = []
    for currency, chosen in monthly.groupby("currency", sort=True):
        priced = int(chosen["arrived_count"].sum()) - int(chosen["amount_missing_count"].sum())
        if priced:
            found.append((currency == NO_CURRENCY, -priced, currency, chosen["arrived_amount"].sum()))
    return [(amount, currency) for _, _, currency, amount in sorted(found)]


def _share(part: int, *, attended: int, late: int, presumed: int, percent: int) -> Decimal | None:
    is_told = attended + late >= FEWEST and (not presumed or 100 * (attended - presumed) >= percent * attended)
    return round(Decimal(part) / Decimal(attended + late), 4) if is_told else None
