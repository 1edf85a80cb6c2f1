"""The probability that a client does not come within a horizon: a model fitted on the past, and the frame it gives.

The log of the summed hazard over the horizon is the mean of two: the visit hazard's (`scoring.hazard`), and that which
closed windows taught (`scoring.landmarks`). To it comes how far both were off, on average, when asked in the past with
what was known then. Tenants differ by a factor, Gamma-Poisson: (visits that came + k) ÷ (visits expected + k), so that
one with few visits is like the pool, and a new one is the pool.

Sources: seed 02, feature 2; issue 4 ("a calibrated probability of no visit in the next cycle", pooling, prior);
METRICS.md, "P(alive)", "Personal cadence", "RFM"; Gelman et al., Bayesian Data Analysis, 3rd edition, 2.6.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from scoring.cadence import find_cadences, find_pool_cadence, find_tenant_cadences
from scoring.errors import FrameError, ModelError
from scoring.frames import NO_TENANT, Numbers, write_moment
from scoring.hazard import Clients, Hazard, Scales, fit_visit_hazard
from scoring.histories import Histories, States, describe_last, describe_states, read_histories
from scoring.landmarks import Landmark, choose_windows, fit_landmark, look_ahead
from scoring.mbg import BuyingProcess, fit_process
from scoring.priors import CYCLE_DAYS
from scoring.regression import fit_hazard

VERSION = "churn-1"
MOST_CLIENTS = 60_000
"""How many clients are fitted on at most; a sample of them is, where there are more."""
MOST_GAPS = 40_000
"""How many times between visits are fitted on at most."""
PROCESS_CLIENTS = 20_000
BACKTESTS = 3
"""In how many closed windows the model is asked what it would have said."""
MOST_SHIFT = 0.3
"""How far those may move the log of the summed hazard; beyond it, something else is wrong."""
TENANT_LEAST_WEIGHT = 20.0
"""Imagined visits that speak for the pool, at least, against a tenant's own."""

COLUMNS = [
    "tenant_id", "client_id", "visits_count", "last_visit_at", "days_since_last_visit", "cycle_days", "horizon_days",
    "churn_probability",
]  # fmt: skip


@dataclass(frozen=True)
class TenantScale:
    """A tenant's own: ``cadence_days`` shrunk, ``mean_value`` of log(1 + amount), ``log_factor`` on its hazard."""

    cadence_days: float
    mean_value: float
    log_factor: float


@dataclass(frozen=True)
class ChurnModel:
    """What has been learned of how clients come back; numbers and texts only, so that it can be kept as JSON.

    ``horizon_days`` is the horizon it was fitted for (None: each client's own cycle); asked for another one, only the
    hazard answers, which knows all. ``rows`` is the number of visit days it was fitted on, ``trained_from`` and
    ``trained_until`` are ISO times (UTC) of the first of them and of its ``as_of``, None and the ``as_of`` where there
    were none. ``tenants`` is keyed by the text of the tenant's id; others are ``pool``.
    """

    version: str
    trained_from: str | None
    trained_until: str
    rows: int
    clients: int
    horizon_days: float | None
    pool: TenantScale
    value_spread: float
    tenants: dict[str, TenantScale]
    hazard: Hazard | None
    landmark: Landmark | None
    shift: float

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a dictionary of texts, numbers, lists and dictionaries, as JSON has them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> ChurnModel:
        """Return the model that `to_dict` wrote; raise `ModelError` where it is of another version or kind."""
        if stored.get("version") != VERSION:
            raise ModelError(
                f"The stored model is {stored.get('version')!r}; this code reads {VERSION!r}.", cure="Fit a new one."
            )
        hazard, landmark = stored["hazard"], stored["landmark"]
        return cls(**{
            **stored,
            "pool": TenantScale(**stored["pool"]),
            "tenants": {name: TenantScale(**scale) for name, scale in stored["tenants"].items()},
            "hazard": hazard
            and Hazard(BuyingProcess(**hazard["process"]), tuple(hazard["again"]), tuple(hazard["once"])),
            "landmark": landmark and Landmark(tuple(landmark["again"]), tuple(landmark["once"])),
        })  # fmt: skip

    def find_scales(self, tenants: tuple[str, ...]) -> Scales:
        """Return cadences and mean values of the tenants, in their order."""
        known = [self.tenants.get(name, self.pool) for name in tenants]
        return Scales(
            np.array([scale.cadence_days for scale in known]), np.array([scale.mean_value for scale in known]),
            self.value_spread,
        )  # fmt: skip

    def find_factors(self, tenants: tuple[str, ...]) -> Numbers:
        """Return the logs of the tenants' factors on the hazard, in their order."""
        return np.array([self.tenants.get(name, self.pool).log_factor for name in tenants])


def make_prior_model(as_of: object, *, horizon_days: float | None = None) -> ChurnModel:
    """Return the model of a new installation: visits come at random, one a cycle of 30 days (`scoring.priors`)."""
    return ChurnModel(
        version=VERSION, trained_from=None, trained_until=pd.Timestamp(as_of).isoformat(),
        rows=0, clients=0, horizon_days=horizon_days, pool=TenantScale(CYCLE_DAYS, 0.0, 0.0), value_spread=1.0,
        tenants={}, hazard=None, landmark=None, shift=0.0,
    )  # fmt: skip


def fit_churn_model(visits: pd.DataFrame, as_of: object, *, horizon_days: float | None = None) -> ChurnModel:
    """Return the model of all visits up to ``as_of``; columns as `churn_probability` takes them."""
    check_horizon(horizon_days)
    histories, _ = read_histories(visits, as_of)
    return fit_histories(histories, horizon_days=horizon_days)


def fit_histories(histories: Histories, *, horizon_days: float | None) -> ChurnModel:
    """Return the model of the histories, which hold nothing after their ``as_of``."""
    used = histories.sample(MOST_CLIENTS)
    model = _fit_members(used, horizon_days=horizon_days, gaps=MOST_GAPS)
    if model.hazard is None:
        return model
    return replace(model, shift=_backtest(used, cadence=model.pool.cadence_days, horizon_days=horizon_days))


def churn_probability(
    visits: pd.DataFrame, as_of: object, *, horizon_days: float | None = None, model: ChurnModel | None = None
) -> pd.DataFrame:
    """Return, for each client seen by ``as_of``, the probability of no visit in (as_of, as_of + horizon].

    ``visits`` has one row a visit that took place: ``client_id`` (anything hashable, not missing), ``visit_at``
    (datetime64, with a zone or naive = UTC), optionally ``tenant_id`` (a client belongs to its tenant only) and
    ``amount`` (number, NaN: not known). Rows after ``as_of`` are ignored; the order of rows says nothing.
    ``horizon_days`` None is each client's own next cycle: the personal cadence, for a client with one visit the
    tenant's. Without ``model`` one is fitted on these visits, from windows that had closed by ``as_of``; with none to
    learn from, it is the prior.

    Returns one row a tenant and client, ascending, with a RangeIndex: ``tenant_id`` (only where given) and
    ``client_id`` as they came, ``visits_count`` int64 (visit days), ``last_visit_at`` (dtype of ``visit_at``),
    ``days_since_last_visit`` int64 (whole days, floored), ``cycle_days`` float64, ``horizon_days`` float64,
    ``churn_probability`` float64 in [0, 1].

    Raises `FrameError` for a missing column, one of the wrong kind, a NaT, or a horizon that is not positive.
    """
    check_horizon(horizon_days)
    histories, _ = read_histories(visits, as_of)
    if model is None:
        model = fit_histories(histories, horizon_days=horizon_days)
    last = histories.is_last
    states = describe_last(histories)
    waited = histories.as_of - histories.at[last]
    cycle, horizon, probability = predict_states(model, histories.tenants, states, waited, horizon_days=horizon_days)
    seen = visits.iloc[histories.row[last]]
    _, counts = np.unique(histories.client, return_counts=True)
    scored = {
        "client_id": seen["client_id"].array,
        "visits_count": counts.astype(np.int64),
        "last_visit_at": seen["visit_at"].array,
        "days_since_last_visit": np.floor(waited + 1e-9).astype(np.int64),
        "cycle_days": cycle,
        "horizon_days": horizon,
        "churn_probability": probability,
    }
    if "tenant_id" in visits.columns:
        scored = {"tenant_id": seen["tenant_id"].array, **scored}
    return pd.DataFrame(scored)


def predict_states(
    model: ChurnModel, tenants: tuple[str, ...], states: States, waited: Numbers, *, horizon_days: float | None
) -> tuple[Numbers, Numbers, Numbers]:
    """Return cycle, horizon (days) and churn probability of the states, ``waited`` days after their last visit."""
    scales = model.find_scales(tenants)
    cycle = find_cadences(states, scales.cadences[states.tenant])
    horizon = cycle if horizon_days is None else np.full(len(cycle), float(horizon_days))
    if model.hazard is None:
        log_sum = np.log(horizon / cycle)
    else:
        clients = scales.describe(states)
        is_its_own = horizon_days == model.horizon_days
        log_sum = _sum_log(model.hazard, model.landmark if is_its_own else None, clients, waited, horizon)
        if is_its_own:
            log_sum = log_sum + model.shift
    log_sum = log_sum + model.find_factors(tenants)[states.tenant]
    return cycle, horizon, np.exp(-np.exp(np.clip(log_sum, -30.0, 5.0)))


def _sum_log(hazard: Hazard, landmark: Landmark | None, clients: Clients, waited: Numbers, horizon: Numbers) -> Numbers:
    """The log of the summed hazard: the mean of what the hazard and, where there is one, the closed windows say."""
    found = hazard.sum_log(clients, waited, horizon)
    return found if landmark is None else (found + landmark.sum_log(clients, waited, horizon)) / 2


def _fit_members(histories: Histories, *, horizon_days: float | None, gaps: int) -> ChurnModel:
    """The model without its shift; the prior where there is not one visit."""
    until = write_moment(histories.as_of)
    if not len(histories.day):
        return make_prior_model(until, horizon_days=horizon_days)
    states = describe_states(histories)
    count = len(histories.tenants)
    pool = find_pool_cadence(states)
    spent = states.value[histories.is_last]
    known = ~np.isnan(spent)
    mean = float(spent[known].mean()) if known.any() else 0.0
    paid = np.bincount(histories.tenant[histories.is_last][known], minlength=count)
    total = np.bincount(histories.tenant[histories.is_last][known], spent[known], minlength=count)
    values = (total + TENANT_LEAST_WEIGHT * mean) / (paid + TENANT_LEAST_WEIGHT)
    deviation = float((spent - values[histories.tenant[histories.is_last]])[known].std()) if known.any() else 0.0
    scales = Scales(find_tenant_cadences(states, tenants=count, pool=pool), values, max(deviation, 1e-6))
    last = np.flatnonzero(histories.is_last)
    if len(last) > PROCESS_CLIENTS:
        last = np.sort(np.random.default_rng(2).choice(last, PROCESS_CLIENTS, replace=False))
    recency = states.recency[last]
    age = recency + histories.as_of - histories.at[last] + 0.5
    process = fit_process(states.repeats[last], recency, age, unit=pool)
    hazard, came, expected = fit_visit_hazard(histories, states, scales, process, rows=gaps)
    windows = choose_windows(histories, horizon_days=horizon_days, cadence=pool, most=5)
    factors = _find_factors(came, expected)
    return ChurnModel(
        version=VERSION, trained_from=write_moment(float(histories.at.min())),
        trained_until=until, rows=len(histories.day), clients=int(histories.is_last.sum()), horizon_days=horizon_days,
        pool=TenantScale(pool, mean, 0.0), value_spread=scales.value_spread,
        tenants={
            name: TenantScale(float(scales.cadences[i]), float(values[i]), float(factors[i]))
            for i, name in enumerate(histories.tenants)
            if name != NO_TENANT or count > 1
        } or {NO_TENANT: TenantScale(float(scales.cadences[0]), float(values[0]), 0.0)},
        hazard=hazard, landmark=fit_landmark(histories, scales, windows), shift=0.0,
    )  # fmt: skip


def _find_factors(came: Numbers, expected: Numbers) -> Numbers:
    """Logs of the tenants' factors: Gamma-Poisson, with k by the method of moments; 0 for an only tenant."""
    if (expected > 0).sum() < 2:
        return np.zeros(len(came))
    excess = ((came - expected) ** 2 - came).sum() / (expected**2).sum()
    # One imagined tenant that is like the pool weighs in as long as there are few.
    tenants = float((expected > 0).sum())
    weight = max((tenants + 1) / max(tenants * excess, 1e-9), TENANT_LEAST_WEIGHT)
    return np.asarray(np.log((came + weight) / (expected + weight)))


def _backtest(histories: Histories, *, cadence: float, horizon_days: float | None) -> float:
    """How far, on average over closed windows, the log of the summed hazard was below what came.

    One imagined window without error weighs in, because what was off in a few need not be off again.
    """
    found = []
    windows = choose_windows(histories, horizon_days=horizon_days, cadence=cadence, most=BACKTESTS)
    for window in windows:
        past = histories.cut(window.cut)
        if not len(past.day):
            continue
        model = _fit_members(past, horizon_days=window.days, gaps=MOST_GAPS // 2)
        outlook = look_ahead(histories, model.find_scales(histories.tenants), window)
        if model.hazard is None or len(outlook.came) < 300 or not 20 <= outlook.came.sum() <= len(outlook.came) - 20:
            continue
        log_sum = _sum_log(model.hazard, model.landmark, outlook.clients, outlook.waited, outlook.horizon)
        log_sum = log_sum + model.find_factors(histories.tenants)[outlook.tenant]
        shift = fit_hazard(
            np.ones((len(log_sum), 1)), np.ones(len(log_sum)), outlook.came, offset=log_sum, prior=np.zeros(1),
            precision=np.ones(1),
        )  # fmt: skip
        found.append(float(np.clip(shift[0], -MOST_SHIFT, MOST_SHIFT)))
    return sum(found) / (len(found) + 1)


def check_horizon(horizon_days: float | None) -> None:
    """Raise where the horizon is no time at all."""
    if horizon_days is not None and not (np.isfinite(horizon_days) and horizon_days > 0):
        raise FrameError(
            f"`horizon_days` is {horizon_days!r}.", cure="Give a positive number of days, or None for each one's cycle."
        )
