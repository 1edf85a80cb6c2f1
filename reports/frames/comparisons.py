"""Figures beside those of the period before: what changed, and whether that can be told from chance."""

from __future__ import annotations

from decimal import Decimal
from math import hypot
from typing import Any

import pandas as pd

from reports.cells import is_missing
from reports.frames.columns import add_columns, list_records

FEWEST = 20
"""A rate of fewer is "too few to say": at 10 of 20, Wilson's 95 % interval is 40 points wide (METRICS, house rules)."""
Share = tuple[float, float, float]
"""A share with the lower and the upper limit of its interval."""


def compare_periods(kpis: pd.DataFrame) -> pd.DataFrame:
    """Add to each row of `kpis` what it says beside the period before.

    ``is_enough``: a rate of at least `FEWEST`, or no rate. ``change``: value less previous value; of rates in shares.
    ``change_share``: of others, the change as a share of the value before; none where that was zero. ``is_certain``:
    of rates, whether Newcombe's 95 % interval of the difference leaves out zero; of others always. ``tone``: ``good``,
    ``bad`` or ``even``.
    """
    rows = [_compare(row) for row in list_records(kpis)]
    names = ["is_enough", "change", "change_share", "is_certain", "tone"]
    return add_columns(kpis, **{name: [row[name] for row in rows] for name in names})


def _compare(row: dict[str, Any]) -> dict[str, Any]:
    is_rate = row["kind"] == "rate"
    enough_now = not is_rate or (row["whole_count"] or 0) >= FEWEST
    enough_before = not is_rate or (row["previous_whole_count"] or 0) >= FEWEST
    found: dict[str, Any] = {
        "is_enough": enough_now, "change": None, "change_share": None, "is_certain": False, "tone": "even",
    }  # fmt: skip
    if is_missing(row["value"]) or is_missing(row["previous_value"]) or not row["is_comparable"]:
        return found
    if not (enough_now and enough_before):
        return found
    change = Decimal(str(row["value"])) - Decimal(str(row["previous_value"]))
    found["change"] = change
    found["is_certain"] = not is_rate or _leaves_out_zero(row)
    if not is_rate and row["previous_value"]:
        found["change_share"] = change / Decimal(str(row["previous_value"]))
    if change and found["is_certain"] and row["better"] != "neither" and not _is_noise(row, change):
        found["tone"] = "good" if (change > 0) != (row["better"] == "down") else "bad"
    return found


def _is_noise(row: dict[str, Any], change: Decimal) -> bool:
    """Whether a count changed by no more than counts of things that come by themselves do (Poisson, 95 %)."""
    if row["unit"] != "count":
        return False
    return float(change) ** 2 <= 1.96**2 * (float(row["value"]) + float(row["previous_value"]))


def compare_shares(now: Share, before: Share) -> int:
    """Return 1 for more, -1 for less, 0 for what may be chance, of two shares with Wilson's limits (share, low, high).

    More or less is where Newcombe's 95 % interval of their difference leaves out zero (Newcombe 1998, method 10).
    """
    difference = now[0] - before[0]
    if difference - hypot(now[0] - now[1], before[2] - before[0]) > 0:
        return 1
    return -1 if difference + hypot(now[2] - now[0], before[0] - before[1]) < 0 else 0


def _leaves_out_zero(row: dict[str, Any]) -> bool:
    now, before = (
        (float(row[f"{side}value"]), float(row[f"{side}value_low"]), float(row[f"{side}value_high"]))
        for side in ("", "previous_")
    )
    return compare_shares(now, before) != 0
