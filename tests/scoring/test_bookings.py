"""Booking risk: features as they were known, and risks that keep their word."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from scoring import (
    BookingModel,
    FrameError,
    booking_features,
    booking_risk,
    fit_booking_model,
    make_prior_booking_model,
)
from scoring.quality import auc, ece
from tests.scoring.worlds import START, simulate_bookings

BOOKINGS = simulate_bookings()
AS_OF = START + pd.Timedelta(days=200)


def cut(bookings: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """The table as it was: rows booked by then, outcomes known by then."""
    then = bookings[bookings["booked_at"] <= moment].copy()
    unknown = then["outcome_at"] > moment
    then.loc[unknown, "outcome"] = None
    then.loc[unknown, "outcome_at"] = pd.NaT
    return then


@settings(max_examples=20, deadline=None)
@given(st.floats(5, 290))
def test_features_of_a_past_day_are_those_computed_on_that_day(day: float) -> None:
    moment = START + pd.Timedelta(days=round(day, 3))
    then = cut(BOOKINGS, moment)
    assert_frame_equal(booking_features(BOOKINGS, moment).loc[then.index], booking_features(then, moment))


@settings(max_examples=5, deadline=None)
@given(st.floats(20, 290))
def test_risks_of_a_past_day_are_those_computed_on_that_day(day: float) -> None:
    moment = START + pd.Timedelta(days=round(day, 3))
    then = booking_risk(cut(BOOKINGS, moment), moment)
    now = booking_risk(BOOKINGS, moment)
    assert_frame_equal(now[now["booking_id"].isin(then["booking_id"])].reset_index(drop=True), then)


def test_outcomes_after_as_of_change_nothing_not_even_for_bookings_made_later() -> None:
    masked = BOOKINGS.assign(outcome=BOOKINGS["outcome"].where(BOOKINGS["outcome_at"] <= AS_OF))
    masked["outcome_at"] = BOOKINGS["outcome_at"].where(BOOKINGS["outcome_at"] <= AS_OF)
    assert_frame_equal(booking_risk(masked, AS_OF), booking_risk(BOOKINGS, AS_OF))


def test_factors_are_those_of_the_seed() -> None:
    day = [START + pd.Timedelta(days=days) for days in range(60)]
    bookings = pd.DataFrame({
        "booking_id": [1, 2, 3, 4],
        "client_id": ["ann", "ann", "ann", "bob"],
        "booked_at": [day[0], day[2], day[20], day[20]],
        "visit_at": [day[5], day[9], day[41], day[21]],
        "outcome": ["kept", "missed", None, None],
    })  # fmt: skip
    features = booking_features(bookings, day[20]).set_index("booking_id")
    assert features.loc[3].tolist() == [15, 0.5, 21, False, 2]
    assert features.loc[4, ["lead_time_days", "is_new_client", "settled_count"]].tolist() == [1, True, 0]
    assert features.loc[4, ["days_since_last_visit", "cancel_rate"]].isna().all()


def test_outcomes_of_the_last_three_days_are_in_no_rate_and_moved_ones_never() -> None:
    day = [START + pd.Timedelta(days=days) for days in range(60)]
    bookings = pd.DataFrame({
        "booking_id": range(4), "client_id": 1, "booked_at": day[0], "visit_at": [day[5], day[10], day[11], day[40]],
        "outcome": ["kept", "moved", "cancelled", None],
    })  # fmt: skip
    rates = [booking_features(bookings, day[at])["cancel_rate"].iloc[3] for at in (13, 15)]
    assert rates == [0.0, 0.5]


def test_a_visit_tells_nothing_of_itself() -> None:
    walk_in = pd.DataFrame({
        "booking_id": [1], "client_id": [1], "booked_at": [AS_OF], "visit_at": [AS_OF], "outcome": ["kept"],
    })  # fmt: skip
    assert booking_features(walk_in, AS_OF)["is_new_client"].tolist() == [True]


def test_scored_are_the_bookings_to_come_that_are_not_known() -> None:
    scored = booking_risk(BOOKINGS, AS_OF).set_index("booking_id")
    to_come = BOOKINGS[(BOOKINGS["visit_at"] > AS_OF) & (BOOKINGS["outcome_at"] > AS_OF)]
    assert scored.index.tolist() == to_come["booking_id"].tolist()
    assert scored.dtypes.astype(str).to_dict() == {
        "client_id": "int64", "risk_score": "float64", "days_since_last_visit": "Int64", "cancel_rate": "Float64",
        "lead_time_days": "int64", "is_new_client": "bool", "main_factor": "str",
    }  # fmt: skip


def test_it_ranks_and_keeps_its_word_on_a_known_process() -> None:
    bookings = simulate_bookings(40_000, seed=2).drop(columns="outcome_at")
    scored = booking_risk(bookings, AS_OF)
    is_miss = bookings.set_index("booking_id").loc[scored["booking_id"], "outcome"] == "cancelled"
    truth = 1 / (1 + np.exp(2.0 - 0.6 * np.log1p(scored["lead_time_days"])))
    assert auc(is_miss, scored["risk_score"]) > auc(is_miss, truth) - 0.01
    assert ece(is_miss, scored["risk_score"]) < 0.02
    assert (scored["risk_score"] - truth).abs().mean() < 0.03


def test_a_booking_still_alive_shortly_before_is_less_risky() -> None:
    bookings = simulate_bookings(20_000, seed=4)
    model = fit_booking_model(bookings, AS_OF)
    one = pd.DataFrame({
        "booking_id": [1], "booked_at": [AS_OF], "visit_at": [AS_OF + pd.Timedelta(days=20)], "outcome": [None],
    })  # fmt: skip
    risks = [booking_risk(one, AS_OF + pd.Timedelta(days=days), model=model)["risk_score"].item() for days in (0, 19)]
    assert risks[1] < 0.6 * risks[0]


def test_the_main_factor_is_what_stands_out() -> None:
    model = fit_booking_model(BOOKINGS, AS_OF)
    ask = pd.DataFrame({
        "booking_id": ["late", "soon"], "booked_at": AS_OF, "outcome": None,
        "visit_at": [AS_OF + pd.Timedelta(days=60), AS_OF + pd.Timedelta(days=1)],
        "cancel_rate": 0.2, "is_new_client": False, "days_since_last_visit": 20,
    })  # fmt: skip
    assert booking_risk(ask, AS_OF, model=model)["main_factor"].iloc[0] == "lead_time_days"


def test_a_small_tenant_is_like_the_pool_and_a_large_one_like_itself() -> None:
    risky = simulate_bookings(2000, seed=5, base=0.0).assign(tenant_id="risky")
    few = simulate_bookings(8, seed=6, base=9.0, days=100).assign(tenant_id="few")
    model = fit_booking_model(pd.concat([BOOKINGS.assign(tenant_id="usual"), risky, few]), AS_OF)
    assert model.intercepts["risky"] - model.intercepts["usual"] > 1.2
    assert model.intercepts["few"] < 2.5
    assert booking_risk(BOOKINGS.assign(tenant_id="new"), AS_OF, model=model)["risk_score"].between(0, 1).all()


def test_two_tenants_never_share_a_client() -> None:
    both = pd.concat([BOOKINGS.assign(tenant_id="a"), BOOKINGS.assign(tenant_id="b", outcome="missed")])
    features = booking_features(both, AS_OF)
    alone = booking_features(BOOKINGS, AS_OF)
    own = features[features["tenant_id"] == "a"].drop(columns="tenant_id")
    assert_frame_equal(own, alone)


def test_no_history_gives_the_documented_prior() -> None:
    assert len(booking_risk(BOOKINGS.iloc[:0], AS_OF)) == 0
    one = pd.DataFrame({
        "booking_id": [1], "booked_at": [AS_OF], "visit_at": [AS_OF + pd.Timedelta(days=7)], "outcome": [None],
    })  # fmt: skip
    scored = booking_risk(one, AS_OF)
    assert scored["risk_score"].tolist() == [pytest.approx(0.23)]


@pytest.mark.parametrize("outcome", ["kept", "cancelled", "missed", "moved", None])
@pytest.mark.parametrize("size", [1, 200])
def test_whatever_the_history_there_is_a_probability(outcome: str | None, size: int) -> None:
    past = simulate_bookings(size).assign(outcome=outcome)
    to_come = simulate_bookings(3, seed=9).assign(visit_at=AS_OF + pd.Timedelta(days=5000), outcome=None)
    scored = booking_risk(pd.concat([past.assign(tenant_id=1), to_come.assign(tenant_id=2)]), AS_OF)
    assert scored["risk_score"].between(0, 1).all()
    assert len(scored) >= 3


def test_the_order_of_rows_says_nothing_of_the_risk() -> None:
    shuffled = booking_risk(BOOKINGS.sample(frac=1, random_state=3), AS_OF).sort_values("booking_id", ignore_index=True)
    assert_frame_equal(shuffled, booking_risk(BOOKINGS, AS_OF).sort_values("booking_id", ignore_index=True))


def test_a_stored_model_says_the_same() -> None:
    model = fit_booking_model(BOOKINGS.assign(tenant_id=BOOKINGS["client_id"] % 3), AS_OF)
    again = BookingModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    assert make_prior_booking_model(AS_OF) == BookingModel.from_dict(make_prior_booking_model(AS_OF).to_dict())


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (BOOKINGS.drop(columns="outcome"), "no column outcome"),
        (BOOKINGS.assign(outcome="lost"), "has 'lost'"),
        (BOOKINGS.assign(booked_at=pd.NaT), "has no time"),
    ],
)
def test_a_frame_that_cannot_be_read_is_named(broken: pd.DataFrame, words: str) -> None:
    with pytest.raises(FrameError, match=words):
        booking_risk(broken, AS_OF)
