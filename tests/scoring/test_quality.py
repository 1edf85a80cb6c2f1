"""The measures are what their definitions say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from scoring.quality import auc, brier, ece, measure, tabulate_reliability, wilson_interval


def test_auc_and_brier_agree_with_scikit_learn_ties_included() -> None:
    chance = np.random.default_rng(0)
    foretold, came = np.round(chance.random(500), 1), chance.integers(0, 2, 500)
    assert auc(came, foretold) == pytest.approx(roc_auc_score(came, foretold))
    assert brier(came, foretold) == pytest.approx(brier_score_loss(came, foretold))


def test_a_calibrated_forecast_has_no_calibration_error_and_a_shifted_one_has_its_shift() -> None:
    foretold = np.repeat([0.25, 0.75], 400)
    came = np.tile([1, 0, 0, 0], 100).tolist() + np.tile([1, 1, 1, 0], 100).tolist()
    for by_quantile in (False, True):
        assert ece(came, foretold, by_quantile=by_quantile) == pytest.approx(0)
        assert ece(came, foretold - 0.1, by_quantile=by_quantile) == pytest.approx(0.1)


def test_equal_probabilities_share_a_bin() -> None:
    table = tabulate_reliability([0, 1, 1, 0], [0.5] * 4, by_quantile=True)
    assert table["n"].tolist() == [4]


def test_wilson_holds_its_published_values_and_nothing_where_there_is_nothing() -> None:
    lower, upper = wilson_interval([0, 5, 3], [10, 10, 0])
    assert lower[:2].tolist() == pytest.approx([0.0, 0.2366], abs=1e-4)
    assert upper[:2].tolist() == pytest.approx([0.2775, 0.7634], abs=1e-4)
    assert np.isnan(lower[2])


def test_nothing_to_measure_is_no_number() -> None:
    assert np.isnan(auc([1, 1], [0.2, 0.3]))
    assert np.isnan([measure([], []).brier, measure([], []).ece]).all()
