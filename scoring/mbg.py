"""MBG/NBD: how often clients come while they live, and when they are gone.

While alive, a client's visits are a Poisson process whose rate varies between clients as Gamma(r, alpha); after every
visit, the first included, the client leaves for good with a chance that varies as Beta(a, b). Under BG/NBD nobody
leaves after the first visit, so that every one-time client is alive for ever; hence not BG/NBD.

Sources: Batislam, Denizel and Filiztekin 2007 (likelihood, the chance to be alive); METRICS.md, "P(alive)";
lifetimes issues 239 and 424 (what BG/NBD says of one-time clients).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import betaln, gammaln  # type: ignore[import-untyped]

from scoring.frames import Numbers

BOUND = 6.0
"""Parameters stay within exp(±BOUND) of one (alpha: of the time unit)."""
PRIOR_PRECISION = 0.05
"""Of the normal prior on the logs of the parameters; it weighs as little as one client, and keeps few from infinity."""
PRIOR = (0.0, 0.0, 0.0, 1.0)
"""Mean of that prior for r, alpha ÷ unit, a, b."""


@dataclass(frozen=True)
class BuyingProcess:
    """Parameters of an MBG/NBD process: ``alpha`` in days, the rest without a unit."""

    r: float
    alpha: float
    a: float
    b: float

    def log_hazard(self, repeats: Numbers, recency: Numbers, age: Numbers) -> Numbers:
        """Return the log of the expected visits a day of clients that did not come between ``recency`` and ``age``."""
        gone = (
            np.log(self.a)
            - np.log(self.b + repeats)
            + (self.r + repeats) * np.log((self.alpha + age) / (self.alpha + recency))
        )
        return np.asarray(np.log((self.r + repeats) / (self.alpha + age)) - np.logaddexp(0, gone))


def fit_process(repeats: Numbers, recency: Numbers, age: Numbers, *, unit: float) -> BuyingProcess:
    """Return the likeliest process of clients: repeats, days from first to last visit, days from first to now.

    ``unit`` is a usual gap in days, only there to keep numbers near one. No clients give the prior.
    """
    if not len(repeats):
        r, alpha, a, b = np.exp(PRIOR)
        return BuyingProcess(float(r), float(alpha) * unit, float(a), float(b))
    # Equal histories count once, with their number.
    rounded = np.column_stack([repeats, np.round(recency), np.round(age)])
    unique, weight = np.unique(rounded, axis=0, return_counts=True)
    times, seen, lived = unique[:, 0], unique[:, 1] / unit, np.maximum(unique[:, 2], 0.5) / unit

    def cost(logs: Numbers) -> float:
        r, alpha, a, b = np.exp(np.clip(logs, -BOUND, BOUND))
        alive = -(r + times) * np.log(alpha + lived)
        gone = np.log(a / (b + times)) - (r + times) * np.log(alpha + seen)
        each = (
            gammaln(r + times) - gammaln(r) + r * np.log(alpha) + betaln(a, b + times + 1) - betaln(a, b)
            + np.logaddexp(alive, gone)
        )  # fmt: skip
        return float((-(weight @ each) + PRIOR_PRECISION * ((logs - PRIOR) ** 2).sum()) / len(repeats))

    found = minimize(cost, np.array(PRIOR), method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * 4)
    r, alpha, a, b = np.exp(found.x)
    return BuyingProcess(float(r), float(alpha) * unit, float(a), float(b))
