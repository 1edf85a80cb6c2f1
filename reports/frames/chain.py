"""Across salons: leaderboard, data quality, the five problems, freshness."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import pandas as pd

from reports.frames.columns import list_records
from reports.frames.comparisons import FEWEST

MEASURES = ("dialogs", "bookings", "conversion", "avg_response_ms", "unique_clients", "arrival_rate", "no_show_rate")


def rank_salons(kpis: pd.DataFrame, names: Mapping[UUID, str]) -> pd.DataFrame:
    """Return one row a salon over its last 30 final days, most bookings first; revenue is apart, by currency.

    Columns: ``salon``, the measures, ``conversion_low``, ``conversion_high``, ``kept_amount`` and ``currency`` of the
    currency that most of the salon's bookings are priced in, ``other_currencies`` where there are more. Rates of fewer
    than `FEWEST` are left out; ``conversion_n`` is of how many.
    """
    rows = []
    for tenant_id, name in names.items():
        chosen = list_records(kpis[kpis["tenant_id"] == tenant_id])
        by_measure = {row["measure"]: row for row in chosen if not row["currency"]}
        enough = {name: row for name, row in by_measure.items() if row["kind"] != "rate" or _is_enough(row)}
        amounts = [row for row in chosen if row["measure"] == "kept_amount"]
        # By how many bookings have a price in it: amounts of two currencies are no order.
        priced = {row["currency"]: row["whole_count"] or 0 for row in chosen if row["measure"] == "avg_ticket"}
        amounts.sort(key=lambda row: (-priced.get(row["currency"], 0), row["currency"]))
        found = {measure: enough.get(measure, {}).get("value") for measure in MEASURES}
        rows.append({
            "tenant_id": tenant_id, "salon": name, **found,
            "conversion_low": enough.get("conversion", {}).get("value_low"),
            "conversion_high": enough.get("conversion", {}).get("value_high"),
            "conversion_n": by_measure.get("conversion", {}).get("whole_count"),
            "kept_amount": amounts[0]["value"] if amounts else None,
            "currency": amounts[0]["currency"] if amounts else None,
            "other_currencies": ", ".join(row["currency"] for row in amounts[1:]) or None,
        })  # fmt: skip
    columns = [
        "tenant_id", "salon", *MEASURES, "conversion_low", "conversion_high", "conversion_n", "kept_amount", "currency",
        "other_currencies",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    order = sorted(frame.index, key=lambda index: (-(frame.at[index, "bookings"] or 0), str(frame.at[index, "salon"])))
    return frame.loc[order].reset_index(drop=True)


def _is_enough(row: Mapping[str, Any]) -> bool:
    return int(row["whole_count"] or 0) >= FEWEST


def sum_problems(problems: pd.DataFrame) -> pd.DataFrame:
    """Return one row a day and problem over the salons: rows seen and failed, oldest day first."""
    if problems.empty:
        return pd.DataFrame(columns=["day", "problem", "rows_seen", "rows_failed"], dtype=object)
    summed = problems.groupby(["day", "problem"], sort=True)[["rows_seen", "rows_failed"]].sum().reset_index()
    return summed.astype(object)


def sum_failures(results: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a run of the gate and severity-free rule with failures: rows that failed, oldest run first."""
    if results.empty:
        return pd.DataFrame(columns=["run_id", "started_at", "rule_id", "rows_failed"], dtype=object)
    summed = results.groupby(["run_id", "rule_id"], sort=True)["rows_failed"].sum().reset_index()
    started = dict(zip(runs["run_id"].tolist(), runs["started_at"].tolist(), strict=True))
    summed["started_at"] = [started.get(run) for run in summed["run_id"].tolist()]
    return summed[["run_id", "started_at", "rule_id", "rows_failed"]].astype(object)


def find_last_days(traffic: pd.DataFrame, names: Mapping[UUID, str], *, last_day: date | None) -> pd.DataFrame:
    """Return one row a salon: the last day of the last 30 on which anybody wrote, and how many days ago that was."""
    rows = []
    for tenant_id, name in names.items():
        days = [day for day in traffic[traffic["tenant_id"] == tenant_id]["day"].tolist() if day is not None]
        last = max(days) if days else None
        rows.append({
            "salon": name, "last_message_day": last, "active_days": len(days),
            "days_since": None if last is None or last_day is None else max((last_day - last).days, 0),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["salon", "last_message_day", "days_since", "active_days"], dtype=object)
