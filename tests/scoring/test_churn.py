"""Churn probabilities: what they may know, what they must not hang on, and that they keep their word."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from scoring import ChurnModel, FrameError, ModelError, churn_probability, fit_churn_model, make_prior_model
from scoring.quality import auc, ece
from tests.scoring.worlds import START, simulate_visits

AS_OF = START + pd.Timedelta(days=200)
VISITS = simulate_visits(400)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.001, 300)), min_size=1, max_size=20))
def test_what_comes_after_as_of_changes_nothing(later: list[tuple[int, float]]) -> None:
    past = VISITS[VISITS["visit_at"] <= AS_OF]
    more = pd.DataFrame({
        "client_id": [client for client, _ in later],
        "amount": 9.0,
        "visit_at": pd.to_datetime([AS_OF + pd.Timedelta(days=days) for _, days in later]),
    })  # fmt: skip
    both = pd.concat([more.astype(past.dtypes), past], ignore_index=True)
    assert_frame_equal(churn_probability(both, AS_OF), churn_probability(past, AS_OF))


def test_the_order_of_rows_says_nothing() -> None:
    shuffled = VISITS.sample(frac=1, random_state=1)
    assert_frame_equal(churn_probability(shuffled, AS_OF), churn_probability(VISITS, AS_OF))


def test_names_of_clients_say_nothing() -> None:
    named = VISITS.assign(client_id="client " + VISITS["client_id"].astype(str).str.zfill(6))
    columns = ["visits_count", "churn_probability"]
    assert_frame_equal(churn_probability(named, AS_OF)[columns], churn_probability(VISITS, AS_OF)[columns])
    category = VISITS.assign(client_id=VISITS["client_id"].astype("category"))
    assert_frame_equal(churn_probability(category, AS_OF)[columns], churn_probability(VISITS, AS_OF)[columns])


def test_columns_and_dtypes_are_those_documented() -> None:
    scored = churn_probability(VISITS.assign(tenant_id="a"), AS_OF, horizon_days=30)
    assert scored.dtypes.astype(str).to_dict() == {
        "tenant_id": "str", "client_id": "int64", "visits_count": "int64",
        "last_visit_at": str(VISITS["visit_at"].dtype),
        "days_since_last_visit": "int64", "cycle_days": "float64", "horizon_days": "float64",
        "churn_probability": "float64",
    }  # fmt: skip
    assert (scored["horizon_days"] == 30).all()
    assert scored["churn_probability"].between(0, 1).all()


def test_several_visits_of_a_day_are_one_and_days_are_floored() -> None:
    at = ["2024-03-01 09:00", "2024-03-01 18:00", "2024-03-11 10:00"]
    visits = pd.DataFrame({"client_id": 1, "visit_at": pd.to_datetime(at), "amount": np.nan})
    scored = churn_probability(visits, pd.Timestamp("2024-03-13 09:00"))
    assert scored[["visits_count", "days_since_last_visit"]].to_numpy().tolist() == [[2, 1]]
    assert scored["last_visit_at"].tolist() == [pd.Timestamp("2024-03-11 10:00")]


def test_a_day_ends_where_the_zone_of_the_frame_says() -> None:
    at = pd.to_datetime(["2024-03-01 23:30", "2024-03-02 00:30"])
    utc = pd.DataFrame({"client_id": 1, "visit_at": at.tz_localize("UTC")})
    local = utc.assign(visit_at=utc["visit_at"].dt.tz_convert("Asia/Almaty"))
    as_of = pd.Timestamp("2024-03-09", tz="UTC")
    assert [churn_probability(frame, as_of)["visits_count"].item() for frame in (utc, local)] == [2, 1]


def test_two_tenants_never_share_a_client() -> None:
    both = pd.concat([VISITS.assign(tenant_id="a"), VISITS[VISITS["client_id"] % 2 == 0].assign(tenant_id="b")])
    scored = churn_probability(both, AS_OF).set_index(["tenant_id", "client_id"])
    alone = churn_probability(VISITS, AS_OF).set_index("client_id")
    for tenant in ("a", "b"):
        counts = scored.loc[tenant]["visits_count"]
        assert counts.equals(alone["visits_count"].loc[counts.index])
    assert set(scored.loc["b"].index) == {client for client in alone.index if client % 2 == 0}


def test_a_small_tenant_is_like_the_pool_and_a_large_one_like_itself() -> None:
    few = VISITS[VISITS["client_id"] < 3].assign(tenant_id="few")
    often = simulate_visits(500, seed=3, rate=1 / 8).assign(tenant_id="often")
    model = fit_churn_model(pd.concat([VISITS.assign(tenant_id="usual"), often, few]), AS_OF)
    assert model.tenants["often"].cadence_days < 0.6 * model.tenants["usual"].cadence_days
    pool, small = model.pool.cadence_days, model.tenants["few"]
    assert abs(np.log(small.cadence_days / pool)) < 0.5
    assert abs(small.log_factor) < 0.2


def test_no_history_gives_the_documented_prior() -> None:
    empty = VISITS.iloc[:0]
    assert len(churn_probability(empty, AS_OF)) == 0
    first = pd.DataFrame({"client_id": [1], "visit_at": [AS_OF - pd.Timedelta(days=3)]})
    scored = churn_probability(first, AS_OF, model=make_prior_model(AS_OF))
    assert scored["cycle_days"].tolist() == [pytest.approx(30)]
    assert scored["churn_probability"].tolist() == [pytest.approx(np.exp(-1))]


@pytest.mark.parametrize(
    "days", [[0], [0, 0, 0], [0, 1], [5, 250], list(range(100)), [250], [0] * 5 + [30] * 5], ids=str
)
@pytest.mark.parametrize("horizon", [None, 1, 3650])
def test_whatever_the_history_there_is_a_probability(days: list[int], horizon: float | None) -> None:
    visits = pd.DataFrame({"client_id": "one", "visit_at": START + pd.to_timedelta(days, unit="D"), "amount": np.nan})
    scored = churn_probability(visits, AS_OF, horizon_days=horizon)
    assert len(scored) == int(min(days) <= 200)
    assert scored["churn_probability"].between(0, 1).all()


def test_it_ranks_and_keeps_its_word_on_a_known_process() -> None:
    visits = simulate_visits(4000, seed=7)
    scored = churn_probability(visits, AS_OF, horizon_days=40)
    end = AS_OF + pd.Timedelta(days=40)
    came = visits.loc[visits["visit_at"].between(AS_OF, end, inclusive="right"), "client_id"]
    is_gone = ~scored["client_id"].isin(came)
    assert auc(is_gone, scored["churn_probability"]) > 0.8
    assert ece(is_gone, scored["churn_probability"]) < 0.03
    once = scored["visits_count"] == 1
    assert scored.loc[once, "churn_probability"].mean() == pytest.approx(is_gone[once].mean(), abs=0.05)


def test_a_stored_model_says_the_same() -> None:
    model = fit_churn_model(VISITS.assign(tenant_id=VISITS["client_id"] % 3), AS_OF)
    again = ChurnModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    visits = VISITS.assign(tenant_id=VISITS["client_id"] % 3)
    assert_frame_equal(churn_probability(visits, AS_OF, model=again), churn_probability(visits, AS_OF))
    with pytest.raises(ModelError, match="churn-0"):
        ChurnModel.from_dict({**model.to_dict(), "version": "churn-0"})


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (VISITS.drop(columns="visit_at"), "no column visit_at"),
        (VISITS.assign(visit_at="2024-01-01"), "not a time"),
        (VISITS.assign(visit_at=pd.NaT), "has no time"),
        (VISITS.assign(amount="much"), "not a number"),
    ],
)
def test_a_frame_that_cannot_be_read_is_named(broken: pd.DataFrame, words: str) -> None:
    with pytest.raises(FrameError, match=words):
        churn_probability(broken, AS_OF)


@pytest.mark.parametrize("horizon", [0, -1, float("nan"), float("inf")])
def test_a_horizon_must_be_a_time(horizon: float) -> None:
    with pytest.raises(FrameError, match="horizon_days"):
        churn_probability(VISITS, AS_OF, horizon_days=horizon)
