"""The risk that a booked slot is cancelled or missed: a logistic model fitted on what had settled.

Each settled booking is seen at the time it was made and, if it is told when outcomes became known, also at each of
`SNAPSHOT_DAYS` before the visit at which it was still alive; these together weigh at most as much as the first. Older
visits weigh less, half after a year, because base rates drift. Tenants differ by an intercept with a normal prior
around the pool, whose variance is found by moments: a salon with few bookings is like the pool, a new one is the pool.

Sources: seed 02, feature 1; METRICS.md, "Cancel / no-show risk" (72 h and 24 h before start); issue 4 (pooling,
prior); van Houwelingen 2007 (landmarks); Gelman and Hill 2007, 12 (varying intercepts).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from scoring.booking_terms import FACTOR_OF, NAMES, PRIOR_MEANS, PRIOR_PRECISIONS, write_terms
from scoring.bookings import (
    FACTORS,
    UNSETTLED_DAYS,
    Bookings,
    Factors,
    look_up_factors,
    present_factors,
    read_bookings,
)
from scoring.errors import ModelError
from scoring.frames import Integers, Numbers, count_days, read_moment, write_moment
from scoring.priors import MISS_RATE
from scoring.regression import Flags, fit_logistic

VERSION = "booking-1"
SNAPSHOT_DAYS = (1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0)
"""Days before the visit at which a booking is looked at: 24 h and 72 h (METRICS.md), and what lies before."""
HALF_LIFE_DAYS = 365.0
"""After how long a visit weighs half: a year, so that every season is there at nearly its weight."""
MOST_BOOKINGS = 150_000
"""How many bookings are fitted on at most; a sample of them is, where there are more."""
TENANT_VARIANCE = 0.1
"""How much tenants' log odds differ as long as there are too few to learn it from."""
LEAST_CONTRIBUTION = 0.05
"""Log odds below which no factor is worth a word."""
NO_FACTOR = "none"


@dataclass(frozen=True)
class BookingModel:
    """What has been learned of bookings that fall through; numbers and texts only, so that it can be kept as JSON.

    ``coefficients`` and ``means`` (of the terms, over bookings when made) are in the order of `NAMES`; ``intercepts``
    and ``tenant_means`` are keyed by the text of the tenant's id, others are as the pool. ``rows`` is the number of
    settled bookings; ``trained_from`` the ISO time of the first visit of them, None without; ``trained_until`` as_of.
    """

    version: str
    trained_from: str | None
    trained_until: str
    rows: int
    usual_rate: float
    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    intercepts: dict[str, float]
    tenant_means: dict[str, tuple[float, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return the model as a dictionary of texts, numbers, lists and dictionaries, as JSON has them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> BookingModel:
        """Return the model that `to_dict` wrote; raise `ModelError` where it is of another version or kind."""
        if stored.get("version") != VERSION:
            raise ModelError(
                f"The stored model is {stored.get('version')!r}; this code reads {VERSION!r}.", cure="Fit a new one."
            )
        return cls(**{
            **stored, "coefficients": tuple(stored["coefficients"]), "means": tuple(stored["means"]),
            "tenant_means": {name: tuple(means) for name, means in stored["tenant_means"].items()},
        })  # fmt: skip

    def predict(self, factors: Factors, tenant: Integers, tenants: pd.Index) -> tuple[Numbers, list[str]]:
        """Return risk and main factor; ``tenant`` is each row's place in ``tenants``."""
        terms = write_terms(factors, usual_rate=self.usual_rate)
        names = [str(name) for name in tenants]
        intercepts = np.array([self.intercepts.get(name, 0.0) for name in names])
        usual = np.array([self.tenant_means.get(name, self.means) for name in names]).reshape(len(names), len(NAMES))
        weights = np.asarray(self.coefficients)
        odds = terms @ weights + intercepts[tenant]
        parts = (terms - usual[tenant]) * weights
        by_factor = np.column_stack([
            parts[:, [FACTOR_OF.get(name) == factor for name in NAMES]].sum(axis=1) for factor in FACTORS
        ])  # fmt: skip
        codes = np.array([*FACTORS, NO_FACTOR], dtype=object)
        best = np.where(by_factor.max(axis=1) > LEAST_CONTRIBUTION, by_factor.argmax(axis=1), len(FACTORS))
        return 1 / (1 + np.exp(-np.clip(odds, -30, 30))), codes[best].tolist()


def make_prior_booking_model(as_of: object) -> BookingModel:
    """Return the model of a new installation (`scoring.priors`)."""
    return BookingModel(
        version=VERSION, trained_from=None, trained_until=read_moment(as_of).isoformat(), rows=0,
        usual_rate=MISS_RATE, coefficients=tuple(PRIOR_MEANS.tolist()), means=(1.0,) + (0.0,) * (len(NAMES) - 1),
        intercepts={}, tenant_means={},
    )  # fmt: skip


def fit_booking_model(bookings: pd.DataFrame, as_of: object) -> BookingModel:
    """Return the model of the bookings that had settled by ``as_of``; columns as `booking_risk` takes them.

    Used are visits due 3 days before ``as_of`` or earlier, whose outcome was known by ``as_of``: of later ones, only
    those that fell through are known yet, and they would pass for the rule.
    """
    return fit_read_bookings(read_bookings(bookings), count_days(read_moment(as_of)))


def fit_read_bookings(bookings: Bookings, as_of: float) -> BookingModel:
    """As `fit_booking_model`, of bookings already read; ``as_of`` in days since 1970."""
    moment = write_moment(as_of)
    due = bookings.is_settled & (bookings.visit_at <= as_of - UNSETTLED_DAYS)
    rows = np.flatnonzero(due & (bookings.outcome_at <= as_of) & (bookings.booked_at <= as_of))
    if not len(rows):
        return make_prior_booking_model(moment)
    count = len(rows)
    rows = rows[np.lexsort((bookings.is_miss[rows], bookings.booked_at[rows], bookings.visit_at[rows]))]
    since = float(bookings.visit_at[rows[0]])
    if count > MOST_BOOKINGS:
        rows = rows[np.sort(np.random.default_rng(0).choice(count, MOST_BOOKINGS, replace=False))]
    seen, moments, is_made = _take_snapshots(bookings, rows)
    factors = look_up_factors(bookings, seen, moments)
    weight = 0.5 ** ((as_of - bookings.visit_at[seen]) / HALF_LIFE_DAYS)
    # The same for all views at one time, else those that fall through early, with fewer views, would weigh more.
    weight = weight * np.where(is_made, 1.0, 1 / len(SNAPSHOT_DAYS))
    is_miss = bookings.is_miss[seen].astype(np.float64)
    usual = (float((weight * is_made) @ is_miss) + 2 * MISS_RATE) / (float(weight[is_made].sum()) + 2)
    terms = write_terms(factors, usual_rate=usual)
    tenant = bookings.keys.tenant_codes[seen]
    tenants = len(bookings.keys.tenants)
    intercepts = np.zeros(tenants)
    for _ in range(1 if tenants == 1 else 4):
        coefficients = fit_logistic(
            terms, is_miss, offset=intercepts[tenant], prior=PRIOR_MEANS, precision=PRIOR_PRECISIONS, weight=weight
        )
        if tenants > 1:
            intercepts = _fit_intercepts(terms @ coefficients, is_miss, weight, tenant, intercepts)
    made = np.flatnonzero(is_made)
    means = terms[made].mean(axis=0)
    held = np.bincount(tenant[made], minlength=tenants)
    sums = np.column_stack([np.bincount(tenant[made], terms[made, k], minlength=tenants) for k in range(len(NAMES))])
    # A tenant's own average counts as much as its bookings do beside 20 of the pool's.
    own = (sums + 20 * means) / (held[:, None] + 20)
    names = [str(name) for name in bookings.keys.tenants]
    used = [i for i in range(tenants) if held[i]]
    return BookingModel(
        version=VERSION, trained_from=write_moment(since), trained_until=moment,
        rows=count, usual_rate=usual, coefficients=tuple(coefficients.tolist()), means=tuple(means.tolist()),
        intercepts={names[i]: float(intercepts[i]) for i in used},
        tenant_means={names[i]: tuple(own[i].tolist()) for i in used},
    )  # fmt: skip


def booking_risk(bookings: pd.DataFrame, as_of: object, *, model: BookingModel | None = None) -> pd.DataFrame:
    """Return the probability that each booked slot still to come is cancelled or missed.

    ``bookings`` has one row a booking: ``booking_id``, ``booked_at``, ``visit_at`` (datetime64, with a zone or naive =
    UTC), ``outcome`` ('kept', 'cancelled', 'missed', 'moved', or null: not known yet); optionally ``tenant_id``,
    ``client_id`` (null: not known), ``outcome_at`` (when the outcome became known, such as the time of cancellation;
    null or no column: ``visit_at``), and ready-made ``days_since_last_visit``, ``cancel_rate``, ``lead_time_days``,
    ``is_new_client``, which then stand for those that history would give.

    Scored are bookings with ``visit_at`` > ``as_of`` whose outcome is not known by ``as_of``, as known then, or when
    they were made if that is later. Without ``model`` one is fitted on what had settled by ``as_of``.

    Returns one row a scored booking, in the order of ``bookings``, with a RangeIndex: ``tenant_id`` (where given),
    ``booking_id``, ``client_id`` (where given) as they came, ``risk_score`` float64 in [0, 1],
    ``days_since_last_visit`` Int64 (null: no visit known), ``cancel_rate`` Float64 (null: no settled booking before),
    ``lead_time_days`` int64, ``is_new_client`` bool, ``main_factor`` str: the one of these four that raises the risk
    most above the tenant's average booking, or 'none'.

    Raises `FrameError` for a missing column, one of the wrong kind, a NaT, or an outcome that is none of the four.
    """
    read = read_bookings(bookings)
    now = count_days(read_moment(as_of))
    if model is None:
        model = fit_read_bookings(read, now)
    is_known = (read.outcome >= 0) & (read.outcome_at <= now)
    rows = np.flatnonzero((read.visit_at > now) & ~is_known)
    moments = np.maximum(read.booked_at[rows], now)
    # What is scored after as_of must not be told what happened after as_of.
    known = forget_later(read, now)
    factors = look_up_factors(known, rows, moments)
    risk, main_factor = model.predict(factors, read.keys.tenant_codes[rows], read.keys.tenants)
    named = [name for name in ("tenant_id", "booking_id", "client_id") if name in bookings.columns]
    return pd.DataFrame({
        **{name: bookings[name].iloc[rows].array for name in named},
        "risk_score": risk,
        **present_factors(factors),
        "main_factor": pd.Series(main_factor, dtype="str").array,
    })  # fmt: skip


def forget_later(bookings: Bookings, now: float) -> Bookings:
    """The bookings without the outcomes that became known after ``now``."""
    is_known = bookings.outcome_at <= now
    return Bookings(
        bookings.keys, bookings.booked_at, bookings.visit_at, np.where(is_known, bookings.outcome, -1),
        np.where(is_known, bookings.outcome_at, np.nan), bookings.ready, bookings.tells_when,
    )  # fmt: skip


def _take_snapshots(bookings: Bookings, rows: Integers) -> tuple[Integers, Numbers, Flags]:
    """Rows, moments at which they are looked at, and whether that is when they were made."""
    seen, moments = [rows], [bookings.booked_at[rows]]
    if bookings.tells_when:
        for days in SNAPSHOT_DAYS:
            moment = bookings.visit_at[rows] - days
            alive = (moment >= bookings.booked_at[rows] + 1) & (bookings.outcome_at[rows] > moment)
            seen.append(rows[alive])
            moments.append(moment[alive])
    is_made = np.arange(sum(map(len, seen))) < len(rows)
    return np.concatenate(seen), np.concatenate(moments), is_made


def _fit_intercepts(odds: Numbers, is_miss: Numbers, weight: Numbers, tenant: Integers, intercepts: Numbers) -> Numbers:
    """One Newton step of every tenant's intercept, shrunk by how much tenants differ beyond chance."""
    tenants = len(intercepts)
    share = 1 / (1 + np.exp(-np.clip(odds + intercepts[tenant], -30, 30)))
    slope = np.bincount(tenant, weight * (is_miss - share), minlength=tenants)
    curve = np.bincount(tenant, weight * share * (1 - share), minlength=tenants)
    known = curve > 0
    found = intercepts + np.clip(slope / np.maximum(curve, 1e-9), -2, 2)
    # DerSimonian and Laird; one imagined tenant with TENANT_VARIANCE weighs in.
    center = np.average(found[known], weights=curve[known])
    spread = float((curve[known] * (found[known] - center) ** 2).sum()) - (known.sum() - 1)
    room = float(curve[known].sum() - (curve[known] ** 2).sum() / curve[known].sum())
    own = max(spread / room, 0.0) if room > 0 else 0.0
    variance = (TENANT_VARIANCE + (known.sum() - 1) * own) / known.sum()
    return np.asarray((intercepts * curve + slope) / (curve + 1 / max(variance, 1e-4)))
