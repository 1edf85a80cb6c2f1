"""Regressions with a normal prior on every coefficient, by Newton's method.

Two links are needed. A day, or a window, without a visit is one minus exp(−hazard): the complementary log-log link, in
which hazards of days add up. A booking that falls through is logistic. Both log-likelihoods are concave, so the
maximum is one and the outcome does not hang on where the search starts.

Sources: McCullagh and Nelder, Generalized Linear Models, 2nd edition, 2.5 (Newton, Fisher scoring), 4.3 (links);
Prentice and Gloeckler 1978 (grouped survival times as complementary log-log regression); Hoerl and Kennard 1970.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_LOG, GREATEST_LOG = -30.0, 5.0
"""Between what a linear predictor is kept, so that exponentials stay finite."""
ROUNDS = 50
TOLERANCE = 1e-9
CHUNK = 8192
WARM_ROWS = 100_000
"""With more rows, the search starts where that of a few of them ended."""


def fit_hazard(
    columns: Numbers, days: Numbers, is_event: Numbers, *, offset: Numbers, prior: Numbers, precision: Numbers,
    weight: Numbers | None = None,
) -> Numbers:  # fmt: skip
    """Return coefficients b of the log hazard ``offset + columns @ b``, one coefficient a column.

    A row is either ``days`` days in which nothing came (``is_event`` 0), or one period in which it did (1, whose
    ``days`` is not read). ``prior`` is the mean of the normal prior, ``precision`` one over its variance.
    """
    weights = np.ones(len(days)) if weight is None else weight
    start = prior
    if len(days) > WARM_ROWS:
        few = slice(None, None, len(days) // (WARM_ROWS // 4))
        start = fit_hazard(
            columns[few], days[few], is_event[few], offset=offset[few], prior=prior, precision=precision,
            weight=weights[few],
        )  # fmt: skip
    came = is_event > 0

    def judge(linear: Numbers) -> tuple[float, Numbers, Numbers]:
        hazard = np.exp(np.clip(offset + linear, LEAST_LOG, GREATEST_LOG))
        ratio = hazard / np.expm1(np.maximum(hazard, 1e-12))
        value = np.where(came, np.log(-np.expm1(-np.maximum(hazard, 1e-300))), -days * hazard)
        slope = np.where(came, ratio, -days * hazard)
        curve = np.where(came, ratio * (hazard + ratio - 1), days * hazard)
        return float(weights @ value), weights * slope, weights * np.maximum(curve, 1e-12)

    return _maximise(judge, columns, start=start, prior=prior, precision=precision)


def fit_logistic(
    columns: Numbers, is_event: Numbers, *, offset: Numbers, prior: Numbers, precision: Numbers, weight: Numbers
) -> Numbers:
    """Return coefficients b of the log odds ``offset + columns @ b``; the prior is as in `fit_hazard`."""

    def judge(linear: Numbers) -> tuple[float, Numbers, Numbers]:
        odds = np.clip(offset + linear, LEAST_LOG, -LEAST_LOG)
        share = 1 / (1 + np.exp(-odds))
        value = is_event * odds - np.logaddexp(0, odds)
        return float(weight @ value), weight * (is_event - share), weight * np.maximum(share * (1 - share), 1e-12)

    return _maximise(judge, columns, start=prior, prior=prior, precision=precision)


def _weigh_squares(columns: Numbers, weight: Numbers) -> Numbers:
    """The columns' weighted cross products, by chunks that stay in the processor's cache."""
    total = np.zeros((columns.shape[1], columns.shape[1]))
    for start in range(0, len(columns), CHUNK):
        part = columns[start : start + CHUNK] * np.sqrt(weight[start : start + CHUNK, None])
        total += part.T @ part
    return total


def _maximise(
    judge: Callable[[Numbers], tuple[float, Numbers, Numbers]], columns: Numbers, *, start: Numbers,
    prior: Numbers, precision: Numbers,
) -> Numbers:  # fmt: skip
    """The coefficients where log-likelihood plus log prior is greatest; steps are halved until they gain."""
    # Matrices are narrow: several threads would wait for each other longer than they compute.
    with threadpool_limits(1):
        return _climb(judge, columns, start=start, prior=prior, precision=precision)


def _climb(
    judge: Callable[[Numbers], tuple[float, Numbers, Numbers]], columns: Numbers, *, start: Numbers,
    prior: Numbers, precision: Numbers,
) -> Numbers:  # fmt: skip
    """Newton's method, from ``start``."""
    found = start.astype(np.float64)

    def total(coefficients: Numbers, value: float) -> float:
        return value - 0.5 * float(precision @ (coefficients - prior) ** 2)

    value, slope, curve = judge(columns @ found)
    best = total(found, value)
    for _ in range(ROUNDS):
        gradient = columns.T @ slope - precision * (found - prior)
        hessian = _weigh_squares(columns, curve) + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        for _ in range(30):
            trial = found + step
            value, slope, curve = judge(columns @ trial)
            reached = total(trial, value)
            if reached >= best - 1e-12 * abs(best):
                break
            step = step / 2
        else:
            return found
        gain, found, best = reached - best, trial, reached
        if gain < TOLERANCE * (1 + abs(best)):
            break
    return found
