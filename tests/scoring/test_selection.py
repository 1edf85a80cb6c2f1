"""A model is put in place only if it is better than the one there and than the base rate, and it says why."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from scoring import (
    fit_booking_model,
    fit_churn_model,
    make_prior_booking_model,
    make_prior_model,
    select_booking_model,
    select_churn_model,
)
from tests.scoring.worlds import START, simulate_bookings, simulate_visits

AS_OF = START + pd.Timedelta(days=250)
VISITS = simulate_visits(500)
BOOKINGS = simulate_bookings(4000)


def test_a_better_churn_model_replaces_the_prior() -> None:
    chosen = select_churn_model(VISITS, AS_OF, incumbent=make_prior_model(START))
    assert chosen.is_replaced
    assert chosen.model == fit_churn_model(VISITS, AS_OF)
    assert chosen.quality is not None
    assert chosen.incumbent_quality is not None
    assert chosen.quality["brier"] < min(chosen.incumbent_quality["brier"], chosen.quality["base_brier"])
    assert chosen.quality["n"] == chosen.incumbent_quality["n"]


def test_a_worse_churn_model_is_not_put_in_place_and_says_so() -> None:
    # The one in place was fitted on far more of the same; the new one knows a few clients.
    good = fit_churn_model(simulate_visits(2500, seed=1), AS_OF - pd.Timedelta(days=60), horizon_days=30)
    few = VISITS[VISITS["client_id"] < 120]
    chosen = select_churn_model(few, AS_OF, incumbent=good, horizon_days=30)
    assert not chosen.is_replaced
    assert chosen.model is good
    assert "worse than" in chosen.reason
    assert chosen.reason.endswith("the model in place stays.")


def test_too_little_history_keeps_the_model_or_the_prior() -> None:
    few = VISITS[VISITS["client_id"] < 3]
    good = fit_churn_model(VISITS, AS_OF)
    assert select_churn_model(few, AS_OF, incumbent=good).model is good
    assert select_churn_model(few, AS_OF).model.rows == 0
    assert select_booking_model(BOOKINGS.iloc[:10], AS_OF).model == make_prior_booking_model(AS_OF)
    assert "too few" in select_booking_model(BOOKINGS.iloc[:0], AS_OF).reason


def test_a_better_booking_model_replaces_the_prior() -> None:
    chosen = select_booking_model(BOOKINGS, AS_OF, incumbent=make_prior_booking_model(START))
    assert chosen.is_replaced
    assert chosen.model == fit_booking_model(BOOKINGS, AS_OF)


def test_a_worse_booking_model_is_not_put_in_place_and_says_so() -> None:
    # What has settled lately is unlike what came before it: whoever learned from that is wrong.
    turned = BOOKINGS.assign(outcome=BOOKINGS["outcome"].where(
        BOOKINGS["visit_at"] > AS_OF - pd.Timedelta(days=50),
        BOOKINGS["outcome"].map({"kept": "cancelled", "cancelled": "kept"}),
    ))  # fmt: skip
    before = AS_OF - pd.Timedelta(days=60)
    good = replace(fit_booking_model(BOOKINGS, before), trained_until=before.isoformat())
    chosen = select_booking_model(turned, AS_OF, incumbent=good)
    assert not chosen.is_replaced
    assert chosen.model is good
    assert "worse than" in chosen.reason


def test_one_no_better_than_the_base_rate_is_not_put_in_place() -> None:
    # A long lead time used to mean a cancellation, and lately means the opposite.
    is_long = BOOKINGS["visit_at"] - BOOKINGS["booked_at"] > pd.Timedelta(days=7)
    is_late = BOOKINGS["visit_at"] > AS_OF - pd.Timedelta(days=55)
    turned = BOOKINGS.assign(outcome=(is_long != is_late).map({True: "cancelled", False: "kept"}), outcome_at=pd.NaT)
    chosen = select_booking_model(turned, AS_OF)
    assert not chosen.is_replaced
    assert chosen.quality is not None
    assert chosen.quality["brier"] > chosen.quality["base_brier"]
    assert "base rate" in chosen.reason
    assert chosen.model.rows == 0
