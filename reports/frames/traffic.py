"""When clients write: hours of the week in the salon's local time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd

from reports.formats import move_days

WEEKS = 12
"""Weeks that the map looks back: every cell is a mean of twelve hours, and a season does not blur another."""


def count_weeks(traffic: pd.DataFrame, *, last_day: date | None) -> int:
    """Return the whole weeks that the map counts: those since a salon's first message, from one to `WEEKS`."""
    if last_day is None:
        return WEEKS
    days = [day for day in traffic["day"].tolist() if day is not None and day <= last_day]
    age = (last_day - min(days)).days + 1 if days else 7 * WEEKS
    return min(max(age // 7, 1), WEEKS)


def make_heat_map(traffic: pd.DataFrame, *, last_day: date | None) -> pd.DataFrame:
    """Return one row a weekday (0 Monday) and hour, all 168: messages of clients and sessions over the last weeks.

    ``per_week`` is messages a week. Whole weeks that end with the last final day are counted, so that each weekday
    is in as often as any other; of a salon that began later, those since then (`count_weeks`).
    """
    weeks = count_weeks(traffic, last_day=last_day)
    if last_day is None:
        traffic = traffic.iloc[0:0]
    elif not traffic.empty:
        first = move_days(last_day, 1 - 7 * weeks)
        traffic = traffic[traffic["is_final"].astype(bool) & (traffic["day"] >= first) & (traffic["day"] <= last_day)]
    sums: dict[tuple[int, int], list[int]] = {(weekday, hour): [0, 0] for weekday in range(7) for hour in range(24)}
    rows = zip(
        traffic["day"].tolist(), traffic["hour"].tolist(), traffic["user_messages"].tolist(),
        traffic["sessions_started"].tolist(), strict=True,
    )  # fmt: skip
    for day, hour, messages, sessions in rows:
        cell = sums[day.weekday(), int(hour)]
        cell[0] += int(messages)
        cell[1] += int(sessions)
    return pd.DataFrame(
        [
            {
                "weekday": weekday, "hour": hour, "user_messages": messages, "sessions_started": sessions,
                "per_week": round(Decimal(messages) / weeks, 2),
            }
            for (weekday, hour), (messages, sessions) in sums.items()
        ],
        dtype=object,
    )  # fmt: skip


def find_busiest(heat_map: pd.DataFrame) -> tuple[int, int] | None:
    """Return the weekday and the hour with the most messages; none where nobody wrote."""
    messages = heat_map["user_messages"].astype(int)
    if messages.max() == 0:
        return None
    row = heat_map.loc[messages.idxmax()]
    return int(row["weekday"]), int(row["hour"])
