"""Services and staff: what is booked, who comes, what it brings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import pandas as pd

from reports.cells import is_missing
from reports.formats import move_days
from reports.frames.comparisons import FEWEST

COUNTS = (
    "bookings_count", "arrived_count", "no_show_count", "cancelled_count", "unknown_count", "upcoming_count",
    "presumed_count",
)  # fmt: skip


def sum_visits(monthly: pd.DataFrame, *, by: Literal["service", "staff"], last_day: date | None) -> pd.DataFrame:
    """Return one row a service, or staff member, and currency over twelve months and what is ahead, most visits first.

    ``missed_share`` is no-shows among those whose visit was due and known, arrived and not come; none of fewer than
    `FEWEST`, nor where fewer of them were recorded than the salon asks for: who is presumed to have come says nothing.
    """
    key, title = ("service_id", "service_title") if by == "service" else ("staff_id", "staff_name")
    names = [key, title, "currency", *COUNTS, "arrived_amount", "missed_share"]
    if last_day is not None and not monthly.empty:
        # Eleven months before the first of this month are 333 to 337 days: 330 lead into the first days of that month.
        first = move_days(last_day.replace(day=1), -330).replace(day=1)
        monthly = monthly[monthly["visit_month"] >= first]
    if monthly.empty:
        return pd.DataFrame(columns=names, dtype=object)
    # Titles of the same id may change between months; the latest is shown.
    titles: dict[str, str] = {}
    for identity, text in zip(monthly[key].tolist(), monthly[title].tolist(), strict=True):
        if not is_missing(text):
            titles.setdefault(identity, text)
    grouped = monthly.groupby([key, "currency"], sort=True, dropna=False)
    summed = grouped[[*COUNTS, "arrived_amount"]].sum().reset_index()
    summed[title] = [titles.get(identity) or (f"№ {identity}" if identity else None) for identity in summed[key]]
    percent = max(monthly["recorded_attendance_percent"].tolist())
    summed["missed_share"] = [
        _share(int(missed), int(missed) + int(arrived), presumed=int(presumed), percent=int(percent))
        for missed, arrived, presumed in zip(
            summed["no_show_count"], summed["arrived_count"], summed["presumed_count"], strict=True
        )
    ]
    ordered = summed.sort_values(
        ["arrived_count", "bookings_count", key, "currency"], ascending=[False, False, True, True], kind="stable"
    )
    return ordered[names].astype(object).reset_index(drop=True)


def _share(part: int, whole: int, *, presumed: int, percent: int) -> Decimal | None:
    is_told = whole >= FEWEST and (not presumed or 100 * (whole - presumed) >= percent * whole)
    return round(Decimal(part) / Decimal(whole), 4) if is_told else None
