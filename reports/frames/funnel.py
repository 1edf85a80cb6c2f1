"""The funnel: how many sessions reach each step, and where the others leave (REQUIREMENTS C4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd

from reports.formats import move_days

STEPS = (
    ("started", "sessions_started", None),
    ("service", "chose_service", "dropped_at_service"),
    ("staff", "chose_staff", "dropped_at_staff"),
    ("time", "chose_time", "dropped_at_time"),
    ("booked", "booked", "dropped_at_confirmation"),
)
"""Step, the column of its sessions, and the column of those who left before it."""
ALL = "*"
"""In place of a channel: all channels together; no bot calls a channel so."""


def sum_funnel(funnel: pd.DataFrame, *, last_day: date | None, days: int) -> pd.DataFrame:
    """Return one row a channel (and `ALL`) and step over the last final days.

    Columns: ``channel``, ``step``, ``sessions``, ``dropped`` (who came to the step before and no further),
    ``step_share`` (of the step before) and ``total_share`` (of all that started); shares of nothing are none.
    """
    if last_day is None:
        funnel = funnel.iloc[0:0]
    elif not funnel.empty:
        first = move_days(last_day, 1 - days)
        funnel = funnel[funnel["is_final"].astype(bool) & (funnel["day"] >= first) & (funnel["day"] <= last_day)]
    rows = []
    channels = sorted(set(funnel["channel"]))
    for channel in [ALL, *channels] if len(channels) != 1 else channels:
        chosen = funnel if channel == ALL else funnel[funnel["channel"] == channel]
        started = before = None
        for step, column, dropped in STEPS:
            sessions = int(chosen[column].sum())
            rows.append({
                "channel": channel, "step": step, "sessions": sessions,
                "dropped": None if dropped is None else int(chosen[dropped].sum()),
                "step_share": _share(sessions, before), "total_share": _share(sessions, started),
            })  # fmt: skip
            started = sessions if started is None else started
            before = sessions
    columns = ["channel", "step", "sessions", "dropped", "step_share", "total_share"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def find_biggest_drop(steps: pd.DataFrame) -> tuple[str, int] | None:
    """Return the step before which most sessions leave, and how many; none where nobody left."""
    whole = steps[(steps["channel"] == (ALL if ALL in set(steps["channel"]) else steps["channel"].min()))]
    left = whole[whole["dropped"].notna()]
    if left.empty or int(left["dropped"].max()) == 0:
        return None
    row = left.loc[left["dropped"].astype(int).idxmax()]
    return str(row["step"]), int(row["dropped"])


def _share(part: int, whole: int | None) -> Decimal | None:
    return None if not whole else round(Decimal(part) / Decimal(whole), 4)
