"""Learning straight from windows that have closed: who came within the horizon, as seen from a past day (a landmark).

The hazard sees how visits follow each other; a landmark sees what clients who had not come for long did over a whole
horizon. Their errors differ, so the mean of both is better than either. All terms are ratios of times, so that 20
weeks foretold after 20 weeks of history teach 40 foretold after 40: where the horizon is too long for the history,
windows are as long in proportion.

Sources: van Houwelingen 2007 (dynamic prediction by landmarking); Bates and Granger 1969 (means of forecasts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.frames import Integers, Numbers
from scoring.hazard import Clients, Scales
from scoring.histories import Histories, describe_last
from scoring.priors import HAZARD_PRECISION
from scoring.regression import Flags, fit_hazard

LEAST_CADENCES = 3.0
"""Of how many cadences of the pool there must be history before a landmark."""
LEAST_ROWS = 300
LEAST_OF_EACH = 20
"""Fewer rows, or fewer of either outcome, teach less than the hazard knows."""
MOST_LANDMARKS = 5
OWN_CYCLE_REACH = 1.5
"""Landmarks for horizons of a cycle each are this many cadences of the pool apart."""


@dataclass(frozen=True)
class Window:
    """A landmark and its horizon: ``cut`` in days since 1970; ``days``, or None for each client's own cycle."""

    cut: float
    days: float | None


@dataclass(frozen=True)
class Landmark:
    """Coefficients of the log summed hazard: of clients that came again, and of those that came once."""

    again: tuple[float, ...]
    once: tuple[float, ...]

    def sum_log(self, clients: Clients, waited: Numbers, horizon: Numbers) -> Numbers:
        """Return the log of the summed hazard over ``horizon`` days, ``waited`` days after the last visit."""
        total = np.empty(len(waited))
        is_once = clients.repeats == 0
        total[is_once] = _write_once(clients.take(is_once), waited[is_once], horizon[is_once]) @ np.array(self.once)
        again = ~is_once
        total[again] = _write_again(clients.take(again), waited[again], horizon[again]) @ np.array(self.again)
        return np.clip(total, -12.0, 4.0)


def choose_windows(histories: Histories, *, horizon_days: float | None, cadence: float, most: int) -> list[Window]:
    """Return at most so many windows that closed by ``histories.as_of``, the latest first.

    A horizon of up to a third of the history is taken as it is; a longer one in proportion.
    """
    if not len(histories.day):
        return []
    first = float(histories.day.min())
    span = histories.as_of - first
    least = LEAST_CADENCES * cadence
    step = OWN_CYCLE_REACH * cadence if horizon_days is None else horizon_days
    if step <= span / 3:
        cuts = [span - k * step for k in range(1, most + 1)]
        return [Window(first + cut, horizon_days) for cut in cuts if cut >= max(span / 3, least)]
    if horizon_days is None:
        return []
    ratio = step / span
    cuts = [np.floor(share * span / (1 + ratio)) for share in (1.0, 0.8, 0.64)][:most]
    return [Window(first + cut, float(np.floor(cut * ratio))) for cut in cuts if cut >= least and cut * ratio >= 1]


def fit_landmark(histories: Histories, scales: Scales, windows: list[Window]) -> Landmark | None:
    """Return what the windows teach; None where they are too few, or nearly all ended alike."""
    parts = [look_ahead(histories, scales, window) for window in windows]
    if not parts:
        return None
    came = np.concatenate([part.came for part in parts])
    if len(came) < LEAST_ROWS or min(came.sum(), len(came) - came.sum()) < LEAST_OF_EACH:
        return None
    fitted = []
    for is_once in (False, True):
        written = [
            (_write_once if is_once else _write_again)(p.clients.take(k), p.waited[k], p.horizon[k])
            for p in parts
            for k in [(p.clients.repeats == 0) == is_once]
        ]
        terms = np.vstack(written)
        outcome = np.concatenate([p.came[(p.clients.repeats == 0) == is_once] for p in parts])
        scale = np.maximum(terms.std(axis=0), 1e-6) if len(terms) else np.ones(terms.shape[1])
        scale[0] = 1.0
        found = fit_hazard(
            terms / scale, np.ones(len(outcome)), outcome, offset=np.zeros(len(outcome)),
            prior=np.zeros(terms.shape[1]), precision=np.full(terms.shape[1], HAZARD_PRECISION),
        ) / scale  # fmt: skip
        fitted.append(tuple(found.tolist()))
    return Landmark(*fitted)


@dataclass(frozen=True)
class Outlook:
    """Clients as they were at a landmark, with what came: arrays of one length, a client each.

    ``waited`` days since the last visit, ``horizon`` days, ``came`` 1.0 where a visit came within them, else 0.0;
    ``tenant`` the tenant's number.
    """

    clients: Clients
    waited: Numbers
    horizon: Numbers
    came: Numbers
    tenant: Integers


def look_ahead(histories: Histories, scales: Scales, window: Window) -> Outlook:
    """Return the clients at the landmark whose horizons closed by ``histories.as_of``, and who came within them."""
    past = histories.cut(window.cut)
    states = describe_last(past)
    clients = scales.describe(states)
    last_at = past.at[past.is_last]
    horizon = clients.cadence if window.days is None else np.full(len(last_at), window.days)
    names = past.client[past.is_last]
    size = int(histories.client.max()) + 1 if len(histories.client) else 0
    next_at = np.full(size, np.inf)
    later = histories.at > window.cut
    np.minimum.at(next_at, histories.client[later], histories.at[later])
    came = (next_at[names] <= window.cut + horizon).astype(np.float64)
    closed: Flags = window.cut + horizon <= histories.as_of
    return Outlook(
        clients.take(closed), (window.cut - last_at)[closed], horizon[closed], came[closed], states.tenant[closed]
    )


def _write_again(clients: Clients, waited: Numbers, horizon: Numbers) -> Numbers:
    """Terms of clients that came again."""
    days = waited + 0.5
    age = clients.recency + days
    often = np.log1p(clients.repeats)
    rate = np.log((clients.repeats + 0.5) * horizon / age)
    share, time = np.log(days / age), np.log(days / clients.cadence)
    uneven, value = clients.irregularity, clients.value
    return np.column_stack([
        np.ones(len(days)), rate, often, share, often * share, rate * share,
        time, np.maximum(time - np.log(0.5), 0), np.maximum(time, 0), np.maximum(time - np.log(2.0), 0),
        np.log(horizon / clients.cadence), np.log(horizon / age), uneven, uneven * time, value, value * share,
    ])  # fmt: skip


def _write_once(clients: Clients, waited: Numbers, horizon: Numbers) -> Numbers:
    """Terms of clients that came once."""
    ratio = np.log(horizon / (waited + 0.5))
    return np.column_stack([np.ones(len(ratio)), ratio, 0.3 * ratio**2, clients.value, clients.value * ratio])
