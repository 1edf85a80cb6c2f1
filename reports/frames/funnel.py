"""The funnel: how far dialogues come that meant to book, and where they end (REQUIREMENTS C4)."""

from __future__ import annotations

from dataclasses import dataclass
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
"""Step, the column of its dialogues, and the column of those that ended before it."""
INFERRED = {
    "dropped_at_service": "inferred_at_service", "dropped_at_staff": "inferred_at_staff",
    "dropped_at_time": "inferred_at_time", "dropped_at_confirmation": "dropped_at_confirmation",
}  # fmt: skip
"""Of those that ended there, the column of those of which the bot did not record it; the last step it never records."""
ALL = "*"
"""In place of a channel: all channels together; no bot calls a channel so."""


def sum_funnel(funnel: pd.DataFrame, *, last_day: date | None, days: int) -> pd.DataFrame:
    """Return one row a channel (and `ALL`) and step over the last final days.

    Columns: ``channel``, ``step``, ``sessions``, ``dropped`` (dialogues that came to the step before and no further),
    ``inferred`` (of these, where that only follows from what was chosen), ``step_share`` (of the step before) and
    ``total_share`` (of all that meant to book); shares of nothing are none.
    """
    funnel = _choose_days(funnel, last_day=last_day, days=days)
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
                "inferred": None if dropped is None else int(chosen[INFERRED[dropped]].sum()),
                "step_share": _share(sessions, before), "total_share": _share(sessions, started),
            })  # fmt: skip
            started = sessions if started is None else started
            before = sessions
    columns = ["channel", "step", "sessions", "dropped", "inferred", "step_share", "total_share"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def count_others(funnel: pd.DataFrame, *, last_day: date | None, days: int) -> int:
    """Return how many dialogues of the last final days were about something else than a booking."""
    return int(_choose_days(funnel, last_day=last_day, days=days)["other_sessions"].sum())


@dataclass(frozen=True)
class Drop:
    """The step before which most dialogues end, how many do, and how many end anywhere without a booking."""

    step: str
    count: int
    whole: int


def find_biggest_drop(steps: pd.DataFrame) -> Drop | None:
    """Return where most of the dialogues end that meant to book and did not; none where all booked."""
    whole = steps[(steps["channel"] == (ALL if ALL in set(steps["channel"]) else steps["channel"].min()))]
    left = whole[whole["dropped"].notna()]
    if left.empty or int(left["dropped"].max()) == 0:
        return None
    row = left.loc[left["dropped"].astype(int).idxmax()]
    return Drop(step=str(row["step"]), count=int(row["dropped"]), whole=int(left["dropped"].sum()))


def _choose_days(funnel: pd.DataFrame, *, last_day: date | None, days: int) -> pd.DataFrame:
    if last_day is None:
        return funnel.iloc[0:0]
    if funnel.empty:
        return funnel
    first = move_days(last_day, 1 - days)
    return funnel[funnel["is_final"].astype(bool) & (funnel["day"] >= first) & (funnel["day"] <= last_day)]


def _share(part: int, whole: int | None) -> Decimal | None:
    return None if not whole else round(Decimal(part) / Decimal(whole), 4)
