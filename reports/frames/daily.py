"""Days: what the lines of the overview show."""

from __future__ import annotations

from datetime import date

import pandas as pd

from reports.formats import is_unknown, move_days
from reports.frames.columns import add_columns

DAYS_DRAWN = 90
"""Days that the lines show: the longest period of the figures above them."""


def choose_days(metrics: pd.DataFrame, *, last_day: date | None) -> pd.DataFrame:
    """Return the final days of the last `DAYS_DRAWN`, oldest first, with the columns of `metrics_dailies`."""
    if last_day is None or metrics.empty:
        return metrics.iloc[0:0]
    first = move_days(last_day, 1 - DAYS_DRAWN)
    chosen = metrics[metrics["is_final"].astype(bool) & (metrics["day"] >= first) & (metrics["day"] <= last_day)]
    return chosen.sort_values("day", kind="stable").reset_index(drop=True)


def sum_revenue(revenue: pd.DataFrame, *, last_day: date | None) -> pd.DataFrame:
    """Return the amounts of the final days that are drawn, by day and currency, oldest first.

    Where no price is known there is no amount.
    """
    chosen = choose_days(revenue, last_day=last_day)
    known = {
        name: [
            None if is_unknown(amount, currency) else amount
            for amount, currency in zip(chosen[name].tolist(), chosen["currency"].tolist(), strict=True)
        ]
        for name in ("booked_amount", "kept_amount", "cancelled_amount", "earned_amount", "earned_recorded_amount")
    }
    return add_columns(chosen, **known).sort_values(["day", "currency"], kind="stable").reset_index(drop=True)
