"""Booking risk: hotel bookings by arrival, the first 70 % to learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from scoring import booking_risk, fit_booking_model
from scoring.bookings import UNSETTLED_DAYS, look_up_factors, read_bookings
from scoring.evaluation.results import Evaluation, Numbers, Row, rate
from scoring.evaluation.sources import load_hotel_bookings

SHARE = 0.7
FACTORS = ["lead_time_days", "cancel_rate", "is_new_client"]


def evaluate_bookings() -> list[Evaluation]:
    """Return the table's own split, without and with the hotels as tenants, and the split as of a day."""
    bookings = load_hotel_bookings()
    return [
        judge_at_booking(bookings.drop(columns="tenant_id"), "hotel bookings, three factors"),
        judge_at_booking(bookings, "hotel bookings, three factors and the hotel as tenant"),
        judge_as_of(bookings),
    ]


def judge_at_booking(bookings: pd.DataFrame, task: str) -> Evaluation:
    """Return the table's split: the first 70 % by arrival to learn from, with their outcomes; the rest as when booked.

    It lets the past know outcomes of bookings that arrive before the cut only, as anyone would, and asks about
    bookings that were made before the cut as if it were then.
    """
    place = int(len(bookings) * SHARE)
    past, rest = bookings.iloc[:place], bookings.iloc[place:]
    # The rows just before the cut are part of the table's training rows: they are let settle.
    as_of = past["visit_at"].max() + pd.Timedelta(days=UNSETTLED_DAYS)
    model = fit_booking_model(past.assign(outcome_at=past[["visit_at", "outcome_at"]].min(axis=1)), as_of)
    read = read_bookings(rest)
    factors = look_up_factors(read, np.arange(len(rest)), read.booked_at)
    foretold, _ = model.predict(factors, read.keys.tenant_codes, read.keys.tenants)
    is_event = _mark(rest)
    split = (
        f"The table's split: fitted on the first {place:,} bookings by arrival, asked about the last {len(rest):,} "
        f"(from {rest['visit_at'].iloc[0]:%Y-%m-%d}) as they were when they were made."
    )
    rows = [*_try_baselines(past, rest), rate("**ours**", is_event, foretold)]
    return Evaluation(task, split, tuple(rows), is_event, foretold)


def judge_as_of(bookings: pd.DataFrame) -> Evaluation:
    """Return the product's own question: as of the cut, bookings to come that had not been cancelled by then.

    Nothing that became known after the cut is used, and bookings made later are judged as of when they were made.
    """
    as_of = bookings["visit_at"].iloc[int(len(bookings) * SHARE)] - pd.Timedelta(days=1)
    scored = booking_risk(bookings, as_of)
    by_id = bookings.set_index("booking_id")
    rest = by_id.loc[scored["booking_id"]].reset_index()
    known = bookings["outcome_at"] <= as_of
    past = bookings[(bookings["visit_at"] <= as_of - pd.Timedelta(days=UNSETTLED_DAYS)) & known]
    is_event = _mark(rest)
    split = (
        f"As of {as_of:%Y-%m-%d}: fitted on the {len(past):,} bookings due by then whose outcome was known, asked "
        f"about the {len(rest):,} later ones that had not been cancelled by then, as known then or when they were made."
    )
    rows = [*_try_baselines(past, rest), rate("**ours**", is_event, scored["risk_score"].to_numpy())]
    return Evaluation("hotel bookings, as of a day", split, tuple(rows), is_event, scored["risk_score"].to_numpy())


def _try_baselines(past: pd.DataFrame, rest: pd.DataFrame) -> list[Row]:
    """The rows of the reference table, recomputed: base rate, logistic regression, gradient boosting."""
    came, is_event = _mark(past), _mark(rest)
    learn, ask = (part[FACTORS].to_numpy(dtype=np.float64) for part in (past, rest))
    logistic = LogisticRegression(max_iter=1000).fit(learn / [100, 1, 1], came)
    # With threads of its own it takes many times as long on a machine that is busy.
    with threadpool_limits(1):
        boosting = HistGradientBoostingClassifier(random_state=0).fit(learn, came)
        boosted = boosting.predict_proba(ask)[:, 1]
    return [
        rate("base rate", is_event, np.full(len(rest), came.mean())),
        rate("logistic regression on the three factors", is_event, logistic.predict_proba(ask / [100, 1, 1])[:, 1]),
        rate("gradient boosting on the three factors", is_event, boosted),
    ]


def _mark(bookings: pd.DataFrame) -> Numbers:
    """1.0 where the slot was cancelled or missed."""
    return np.asarray(bookings["outcome"].isin(["cancelled", "missed"]), dtype=np.float64)
