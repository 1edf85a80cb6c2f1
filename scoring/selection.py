"""Which model to use: the new one only if it foretells the latest window better than the old one and the base rate.

The candidate is fitted on what was known before a hold-out window at the end of the past, and has to beat, by Brier
score on that window, the incumbent and the rate of before. If it does, it is fitted again on everything up to
``as_of`` and put in place. If not, the incumbent stays, or the base rate's place is kept by the prior.

An incumbent that was trained after the hold-out began has seen part of the answers. The candidate then may be worse
by one standard error of the mean difference, which is chance; else it may not be worse at all.

Source: issue 4 ("a model worse than the one before or than the base rate is not put in place, and says so").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from scoring.booking_model import (
    BookingModel,
    fit_read_bookings,
    forget_later,
    make_prior_booking_model,
)
from scoring.bookings import UNSETTLED_DAYS, Bookings, look_up_factors, read_bookings
from scoring.churn import MOST_CLIENTS, ChurnModel, check_horizon, fit_histories, make_prior_model, predict_states
from scoring.frames import EPOCH, Numbers, count_days, read_moment
from scoring.histories import Histories, States, describe_last, read_histories
from scoring.landmarks import LEAST_CADENCES, OWN_CYCLE_REACH
from scoring.quality import Quality, measure

LEAST_HELD_OUT = 50
"""Fewer held out rows say nothing of which model is better."""
LEAST_OF_EACH = 5
"""So do fewer events, or fewer non-events."""
HELD_OUT_SHARE = 0.2
"""What part of the settled bookings, the latest, is held out."""

Model = TypeVar("Model", ChurnModel, BookingModel)


@dataclass(frozen=True)
class Selection(Generic[Model]):
    """The model to use from now on, and why.

    ``is_replaced`` says whether it is a new one; ``reason`` is a sentence. ``quality`` measures the candidate on the
    hold-out (n, brier, auc, ece, base_rate, base_brier), ``incumbent_quality`` the incumbent on the same rows; None
    where nothing could be measured, or there is no incumbent.
    """

    model: Model
    is_replaced: bool
    reason: str
    quality: dict[str, float] | None
    incumbent_quality: dict[str, float] | None


@dataclass(frozen=True)
class Trial:
    """What candidate and incumbent said of the held out rows, what came, and the rate known before."""

    is_event: Numbers
    candidate: Numbers
    incumbent: Numbers | None
    known_rate: float
    cut: float


def select_churn_model(
    visits: pd.DataFrame, as_of: object, *, incumbent: ChurnModel | None = None, horizon_days: float | None = None
) -> Selection[ChurnModel]:
    """Return which churn model to use; columns and horizon as in `scoring.churn_probability`.

    Held out is the latest window of one horizon (of one and a half cadences of the pool, with own cycles); judged are
    the clients whose horizon closed by ``as_of``.
    """
    check_horizon(horizon_days)
    histories, _ = read_histories(visits, as_of)
    prior = make_prior_model(EPOCH + pd.Timedelta(days=histories.as_of), horizon_days=horizon_days)
    trial = _try_churn(histories.sample(MOST_CLIENTS), incumbent, horizon_days=horizon_days)
    if trial is None:
        return _keep(incumbent, prior, "There is too little history to hold out a window")
    return _decide(trial, incumbent, prior, lambda: fit_histories(histories, horizon_days=horizon_days))


def select_booking_model(
    bookings: pd.DataFrame, as_of: object, *, incumbent: BookingModel | None = None
) -> Selection[BookingModel]:
    """Return which booking model to use; columns as in `scoring.booking_risk`.

    Held out are the latest fifth, by visit, of the bookings that had settled by ``as_of``, each as it was known when
    it was made, or at the start of the window if that is later and it was still alive.
    """
    now = count_days(read_moment(as_of))
    read = read_bookings(bookings)
    prior = make_prior_booking_model(as_of)
    trial = _try_bookings(read, now, incumbent)
    if trial is None:
        return _keep(incumbent, prior, "There are too few settled bookings to hold out a window")
    return _decide(trial, incumbent, prior, lambda: fit_read_bookings(read, now))


def _try_churn(histories: Histories, incumbent: ChurnModel | None, *, horizon_days: float | None) -> Trial | None:
    """Fit before the latest window that has closed, and foretell it."""
    if not len(histories.day):
        return None
    gap = np.diff(histories.day)[histories.client[1:] == histories.client[:-1]]
    if not len(gap):
        return None
    cadence = max(float(np.median(gap)), 1.0)
    window = OWN_CYCLE_REACH * cadence if horizon_days is None else horizon_days
    cut = histories.as_of - window
    past = histories.cut(cut)
    if not len(past.day) or cut - float(past.day.min()) < LEAST_CADENCES * cadence:
        return None
    candidate = fit_histories(past, horizon_days=horizon_days)
    states = describe_last(past)
    last = past.is_last
    waited = cut - past.at[last]
    _, horizon, foretold = predict_states(candidate, past.tenants, states, waited, horizon_days=horizon_days)
    came = _find_comers(histories, past, cut, horizon)
    closed = cut + horizon <= histories.as_of
    if not _is_enough(came[closed]):
        return None
    old = None
    if incumbent is not None:
        # The same question for both: the candidate's horizon, be it one for all or by client.
        old = _predict_like(incumbent, past.tenants, states, waited, horizon, horizon_days=horizon_days)[closed]
    earlier = past.cut(cut - window)
    rate = float(1 - came[closed].mean())
    if len(earlier.day):
        before = _find_comers(past, earlier, cut - window, np.full(int(earlier.is_last.sum()), window))
        rate = float(1 - before.mean()) if horizon_days is not None else rate
    return Trial(1 - came[closed], foretold[closed], old, rate, cut)


def _predict_like(
    model: ChurnModel, tenants: tuple[str, ...], states: States, waited: Numbers, horizon: Numbers, *,
    horizon_days: float | None,
) -> Numbers:  # fmt: skip
    """The probabilities of the model for the horizons given by client."""
    _, own, foretold = predict_states(model, tenants, states, waited, horizon_days=horizon_days)
    # Where the models' cycles differ, the summed hazard is taken in proportion.
    return np.asarray(np.clip(foretold, 1e-12, 1.0) ** (horizon / own))


def _find_comers(histories: Histories, past: Histories, cut: float, horizon: Numbers) -> Numbers:
    """1.0 for each client of ``past`` that came within its horizon after ``cut``, else 0.0."""
    next_at = np.full(int(histories.client.max()) + 1, np.inf)
    later = histories.at > cut
    np.minimum.at(next_at, histories.client[later], histories.at[later])
    return (next_at[past.client[past.is_last]] <= cut + horizon).astype(np.float64)


def _try_bookings(read: Bookings, now: float, incumbent: BookingModel | None) -> Trial | None:
    """Fit before the latest fifth of the settled bookings, and foretell it."""
    known = forget_later(read, now)
    due = np.flatnonzero(known.is_settled & (known.visit_at <= now - UNSETTLED_DAYS))
    if len(due) < LEAST_HELD_OUT:
        return None
    cut = float(np.quantile(known.visit_at[due], 1 - HELD_OUT_SHARE))
    past = forget_later(known, cut)
    candidate = fit_read_bookings(past, cut)
    held = due[(known.visit_at[due] > cut) & (known.outcome_at[due] > cut)]
    is_event = known.is_miss[held].astype(np.float64)
    if candidate.rows == 0 or not _is_enough(is_event):
        return None
    # Each as of its own moment; a client's visits within the window count for later ones, as they will in use.
    factors = look_up_factors(known, held, np.maximum(known.booked_at[held], cut))
    tenant, tenants = known.keys.tenant_codes[held], known.keys.tenants
    foretold, _ = candidate.predict(factors, tenant, tenants)
    old = None if incumbent is None else incumbent.predict(factors, tenant, tenants)[0]
    before = due[known.visit_at[due] <= cut]
    return Trial(is_event, foretold, old, float(known.is_miss[before].mean()), cut)


def _decide(trial: Trial, incumbent: Model | None, prior: Model, refit: Callable[[], Model]) -> Selection[Model]:
    """The candidate, fitted again on everything, where nothing speaks against it; else what is kept, and why."""
    quality, verdict, old_quality = _judge(trial, incumbent)
    if verdict is not None:
        kept = _keep(incumbent, prior, verdict)
        return Selection(kept.model, False, kept.reason, quality.to_dict(), old_quality)
    return Selection(refit(), True, _explain(quality, old_quality), quality.to_dict(), old_quality)


def _judge(
    trial: Trial, incumbent: ChurnModel | BookingModel | None
) -> tuple[Quality, str | None, dict[str, float] | None]:
    """The candidate's quality, why it is not put in place (None: it is), and the incumbent's quality."""
    quality = measure(trial.is_event, trial.candidate, known_rate=trial.known_rate)
    old = None
    if trial.incumbent is not None and incumbent is not None:
        old = measure(trial.is_event, trial.incumbent, known_rate=trial.known_rate)
        difference = (trial.candidate - trial.is_event) ** 2 - (trial.incumbent - trial.is_event) ** 2
        has_seen = count_days(read_moment(incumbent.trained_until)) > trial.cut
        allowed = float(difference.std() / np.sqrt(len(difference))) if has_seen else 0.0
        if difference.mean() > allowed:
            return quality, (
                f"The new model's Brier score on the latest {quality.n} held out rows is {quality.brier:.4f}, worse "
                f"than {old.brier:.4f} of the model in place"
            ), old.to_dict()  # fmt: skip
    if quality.brier >= quality.base_brier:
        return quality, (
            f"The new model's Brier score on the latest {quality.n} held out rows is {quality.brier:.4f}, no better "
            f"than {quality.base_brier:.4f} of the base rate"
        ), old.to_dict() if old else None  # fmt: skip
    return quality, None, old.to_dict() if old else None


def _explain(quality: Quality, old: dict[str, float] | None) -> str:
    """Why the candidate is put in place."""
    beside = f"; the model in place had {old['brier']:.4f}" if old else ""
    return (
        f"The new model is put in place: its Brier score on the latest {quality.n} held out rows is "
        f"{quality.brier:.4f}, against {quality.base_brier:.4f} of the base rate{beside}."
    )


def _keep(incumbent: Model | None, prior: Model, why: str) -> Selection[Model]:
    """The model in place stays, or the prior stands in where there is none."""
    kept = "the model in place stays" if incumbent is not None else "the prior is used"
    return Selection(incumbent if incumbent is not None else prior, False, f"{why}: {kept}.", None, None)


def _is_enough(is_event: Numbers) -> bool:
    """Whether the rows can tell models apart."""
    events = float(is_event.sum())
    return len(is_event) >= LEAST_HELD_OUT and min(events, len(is_event) - events) >= LEAST_OF_EACH
