"""Churn: clients as of a cut, foretold from the visits before it, judged by those after it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scoring import churn_probability, step_churn_risk
from scoring.evaluation.results import Evaluation, Numbers, rank, rate
from scoring.evaluation.sources import load_cdnow, load_complete_journey

CDNOW_CUT = pd.Timestamp("1997-09-30")
CDNOW_DAYS = 273.0
"""39 weeks to learn, 39 weeks to hold out: to 30 June 1998."""
JOURNEY_TASKS = (("2017-07-01", 90.0), ("2017-10-01", 30.0), ("2017-05-01", 150.0), ("2017-10-01", None))
"""(cut, horizon in days; None: each household's own next cycle)."""


def evaluate_churn() -> list[Evaluation]:
    """Return all churn tasks."""
    journey = load_complete_journey()
    return [evaluate_cdnow()] + [
        judge_churn(
            journey, pd.Timestamp(cut), days,
            f"complete_journey, {f'{days:.0f} days' if days else 'own next cycle'} from {cut}",
        )
        for cut, days in JOURNEY_TASKS
    ]  # fmt: skip


def evaluate_cdnow() -> Evaluation:
    """Return CDNOW: 39 weeks to learn, no further purchase within the next 39 weeks."""
    return judge_churn(load_cdnow(), CDNOW_CUT, CDNOW_DAYS, "CDNOW, no purchase within 39 weeks")


def judge_churn(visits: pd.DataFrame, cut: pd.Timestamp, days: float | None, task: str) -> Evaluation:
    """Return the rules and ours at one cut; only rows up to it are handed to what foretells.

    Clients whose horizon ends after the data does are left out, which can only be with horizons of their own.
    """
    past = visits[visits["visit_at"] <= cut]
    scored = churn_probability(past, cut, horizon_days=days)
    end = cut + pd.to_timedelta(scored["horizon_days"], unit="D")
    later = visits[visits["visit_at"] > cut]
    following = scored["client_id"].map(later.groupby("client_id")["visit_at"].min())
    closed = (end <= visits["visit_at"].max() + pd.Timedelta(days=1)).to_numpy()
    is_event = (~(following <= end)).to_numpy(dtype=np.float64)[closed]
    history = _describe(past, cut).loc[scored["client_id"]][closed]
    interval = np.where(history["repeats"] > 0, history["recency"] / history["repeats"].clip(lower=1), np.nan)
    since = history["age"].to_numpy() - history["recency"].to_numpy()
    deviation = since / np.where(np.isnan(interval), 30.0, interval)
    foretold = scored["churn_probability"].to_numpy()[closed]
    base = _find_past_rate(past, cut, days) if days else None
    rows = [
        rate("base rate of the hold-out", is_event, np.full(len(is_event), is_event.mean())),
        *([rate("base rate of the window before", is_event, np.full(len(is_event), base))] if base is not None else []),
        rate("stepwise rule of the seed", is_event, step_churn_risk(since, interval)),
        rank("deviation from the average interval", is_event, deviation),
        rank("recency (days since the last visit)", is_event, since),
        rate("logistic regression ON the hold-out's labels, 5-fold", is_event, _cross_validate(history, is_event)),
        rate("**ours**, fitted on the past only", is_event, foretold),
    ]
    split = (
        f"Fitted on the {len(past):,} visits up to {cut:%Y-%m-%d}; {len(is_event):,} clients seen by then; the event "
        f"is no visit within {f'{days:.0f} days' if days else 'their own next cycle'} after it."
    )
    return Evaluation(task, split, tuple(rows), is_event, foretold)


def _describe(past: pd.DataFrame, cut: pd.Timestamp) -> pd.DataFrame:
    """By client: repeats, recency and age in days, mean value of a visit day (the RFM of METRICS.md)."""
    days = past.assign(day=past["visit_at"].dt.normalize()).groupby(["client_id", "day"])["amount"].sum().reset_index()
    grouped = days.groupby("client_id").agg(
        first=("day", "min"), last=("day", "max"), count=("day", "size"), value=("amount", "mean")
    )
    return pd.DataFrame({
        "repeats": grouped["count"] - 1,
        "recency": (grouped["last"] - grouped["first"]).dt.days,
        "age": (cut.normalize() - grouped["first"]).dt.days,
        "value": grouped["value"],
    })  # fmt: skip


def _find_past_rate(past: pd.DataFrame, cut: pd.Timestamp, days: float) -> float | None:
    """Share without a visit in the last window of that length before the cut; None without history before it."""
    start = cut - pd.Timedelta(days=days)
    before = past.loc[past["visit_at"] <= start, "client_id"].unique()
    came = past.loc[past["visit_at"] > start, "client_id"].unique()
    return float(1 - np.isin(before, came).mean()) if len(before) else None


def _cross_validate(history: pd.DataFrame, is_event: Numbers) -> Numbers:
    """What a regression says that has seen the labels of four fifths of the hold-out: no forecast, but a yardstick."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    columns = history[["recency", "repeats", "age", "value"]].to_numpy(dtype=np.float64)
    return np.asarray(cross_val_predict(model, columns, is_event, cv=5, method="predict_proba")[:, 1])
