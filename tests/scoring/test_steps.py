"""The stepwise rule is the seed's, for all that the seed defines; what it leaves open is decided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring import step_churn_risk


def follow_seed(days_since: int, avg_interval: float) -> float:
    """The seed's function from `deviation` on, word for word."""
    deviation = days_since / avg_interval
    if deviation < 1.0:
        return 0.0
    elif deviation < 1.3:  # noqa: RET505
        return 0.3
    elif deviation < 1.5:
        return 0.6
    else:
        return 0.9


days = st.integers(-400, 4000)
intervals = st.one_of(st.integers(1, 400), st.floats(0.01, 400, allow_nan=False), st.integers(-50, -1))


@given(days, intervals)
def test_it_is_the_seeds_rule(days_since: int, interval: float) -> None:
    assert step_churn_risk(days_since, interval) == follow_seed(days_since, interval)


@given(st.lists(st.tuples(days, intervals), min_size=1, max_size=30))
def test_arrays_are_scored_as_numbers_are(pairs: list[tuple[int, float]]) -> None:
    risks = step_churn_risk(np.array([d for d, _ in pairs]), np.array([float(i) for _, i in pairs]))
    assert risks.tolist() == [follow_seed(*pair) for pair in pairs]


@given(days)
def test_an_unknown_interval_is_thirty_days(days_since: int) -> None:
    expected = follow_seed(days_since, 30)
    assert step_churn_risk(days_since, None) == step_churn_risk(days_since, float("nan")) == expected


@pytest.mark.parametrize(("days_since", "risk"), [(-3, 0.0), (0, 0.0), (1, 0.9), (500, 0.9)])
def test_an_interval_of_zero_is_overdue_from_the_next_day_on(days_since: int, risk: float) -> None:
    assert step_churn_risk(days_since, 0) == risk


def test_a_client_without_a_visit_has_no_risk() -> None:
    assert step_churn_risk(None, 14) is None
    column = pd.Series([10, None], dtype="Int64")
    assert np.isnan(step_churn_risk(column, pd.Series([7, 7]))).tolist() == [False, True]
