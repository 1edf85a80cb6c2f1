"""Bookings as they were known at a moment: the seed's four factors, from outcomes known by then and never later.

An outcome is known from ``outcome_at`` on; where that is not told, from ``visit_at`` on. What is known of a booking
before it was made is nothing.

Sources: seed 02, feature 1 (``risk_factors``); METRICS.md, "Cancel / no-show risk" (features known then; outcomes of
the last 3 days left out), "New / returning", "Cancellation rate" (a reschedule is no cancel), "Lead time".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scoring.errors import FrameError
from scoring.frames import (
    Integers,
    Keys,
    Numbers,
    count_days,
    number_keys,
    read_moment,
    read_numbers,
    read_times,
    require_columns,
    to_days,
)
from scoring.regression import Flags

KEPT, CANCELLED, MISSED, MOVED = "kept", "cancelled", "missed", "moved"
OUTCOMES = (KEPT, CANCELLED, MISSED, MOVED)
UNSETTLED_DAYS = 3.0
"""Outcomes younger than this are left out of rates: those that come late are mostly of one kind (METRICS.md)."""
FACTORS = ("days_since_last_visit", "cancel_rate", "lead_time_days", "is_new_client")
READY_COUNT = 3.0
"""How many outcomes a ready-made ``cancel_rate`` is taken to rest on."""


@dataclass(frozen=True)
class Bookings:
    """Bookings read from a frame; arrays of one length, in the frame's order; times in days since 1970 (UTC).

    ``outcome`` is the place in `OUTCOMES`, −1 where there is none; ``outcome_at`` NaN then. ``ready`` holds the
    factors that the frame brought, by name, as floats (NaN: not known); ``tells_when`` says whether it had
    ``outcome_at`` at all.
    """

    keys: Keys
    booked_at: Numbers
    visit_at: Numbers
    outcome: Integers
    outcome_at: Numbers
    ready: dict[str, Numbers]
    tells_when: bool

    @property
    def is_miss(self) -> Flags:
        """Whether the slot was cancelled or missed."""
        return np.isin(self.outcome, (1, 2))

    @property
    def is_settled(self) -> Flags:
        """Whether the booking was kept, cancelled or missed; a moved one says nothing of either."""
        return np.isin(self.outcome, (0, 1, 2))


@dataclass(frozen=True)
class Factors:
    """The seed's factors of bookings, each at its moment; floats, NaN where the seed has null.

    ``settled`` is the number of outcomes that ``cancel_rate`` rests on; ``days_left`` days from moment to visit,
    ``elapsed`` from booking to moment.
    """

    days_since_last_visit: Numbers
    cancel_rate: Numbers
    lead_time_days: Numbers
    is_new_client: Numbers
    settled: Numbers
    days_left: Numbers
    elapsed: Numbers


def booking_features(bookings: pd.DataFrame, moments: object) -> pd.DataFrame:
    """Return the factors of each booking as known at its moment.

    ``bookings`` as `booking_risk` takes them; ``moments`` one time, or one a row. A table cut at a moment (rows booked
    by then, outcomes known by then) gives the same as the full one.

    Columns, in the order and with the index of ``bookings``: ``booking_id`` and ``tenant_id`` (where given) as they
    came; ``days_since_last_visit`` Int64, whole days since the client's last kept visit, null if none is known;
    ``cancel_rate`` Float64, cancelled and missed ÷ settled bookings known 3 days before, null if none;
    ``lead_time_days`` int64, whole days from booking to visit, never below 0; ``is_new_client`` bool, no kept visit
    known; ``settled_count`` int64, what the rate rests on. A column that is ready-made in ``bookings`` is passed on.
    """
    read = read_bookings(bookings)
    if not hasattr(moments, "__len__"):
        when = np.full(len(bookings), count_days(read_moment(moments)))
    else:
        times = pd.DataFrame({"moments": pd.Series(moments).to_numpy(copy=True)})
        if isinstance(getattr(moments, "dtype", None), pd.DatetimeTZDtype):
            times = pd.DataFrame({"moments": pd.Series(moments).dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()})
        if len(times) != len(bookings):
            raise FrameError(
                f"{len(times)} moments for {len(bookings)} bookings.", cure="Give one time, or one for each booking."
            )
        when = to_days(read_times(times, "moments", frame_name="moments"))
    factors = look_up_factors(read, np.arange(len(bookings)), when)
    return pd.DataFrame({
        **{name: bookings[name].array for name in ("tenant_id", "booking_id") if name in bookings.columns},
        **present_factors(factors),
        "settled_count": factors.settled.astype(np.int64),
    }, index=bookings.index)  # fmt: skip


def present_factors(factors: Factors) -> dict[str, pd.Series | pd.api.extensions.ExtensionArray]:
    """Return the seed's four factors in the dtypes that `booking_features` documents."""
    days = pd.array(np.nan_to_num(factors.days_since_last_visit).astype(np.int64), dtype="Int64")
    days[np.isnan(factors.days_since_last_visit)] = pd.NA
    rate = pd.array(np.nan_to_num(factors.cancel_rate), dtype="Float64")
    rate[np.isnan(factors.cancel_rate)] = pd.NA
    return {
        "days_since_last_visit": days,
        "cancel_rate": rate,
        "lead_time_days": pd.Series(factors.lead_time_days.astype(np.int64)).array,
        "is_new_client": pd.Series(factors.is_new_client > 0).array,
    }


def read_bookings(bookings: pd.DataFrame) -> Bookings:
    """Return the bookings of a frame; raise `FrameError` for a missing column, one of a wrong kind, or outcome."""
    require_columns(bookings, ("booking_id", "booked_at", "visit_at", "outcome"), frame_name="bookings")
    booked_at = to_days(read_times(bookings, "booked_at", frame_name="bookings"))
    visit_at = to_days(read_times(bookings, "visit_at", frame_name="bookings"))
    column = bookings["outcome"]
    texts = column.astype(object).where(column.notna(), None)
    codes, names = pd.factorize(texts)
    unknown = [name for name in names if name not in OUTCOMES]
    if unknown:
        raise FrameError(
            f"`bookings.outcome` has {unknown[0]!r}.", cure=f"Say one of {', '.join(OUTCOMES)}, or null: not known yet."
        )
    place = np.array([*(OUTCOMES.index(name) for name in names), -1], dtype=np.int64)
    outcome = place[codes]
    tells_when = "outcome_at" in bookings.columns
    outcome_at = np.full(len(bookings), np.nan)
    if tells_when:
        outcome_at = to_days(read_times(bookings, "outcome_at", frame_name="bookings", is_nullable=True))
    outcome_at = np.maximum(np.where(np.isnan(outcome_at), visit_at, outcome_at), booked_at)
    ready = {name: read_numbers(bookings, name, frame_name="bookings") for name in FACTORS if name in bookings.columns}
    return Bookings(
        keys=number_keys(bookings), booked_at=booked_at, visit_at=visit_at, outcome=outcome,
        outcome_at=np.where(outcome >= 0, outcome_at, np.nan), ready=ready, tells_when=tells_when,
    )  # fmt: skip


def look_up_factors(bookings: Bookings, rows: Integers, moments: Numbers) -> Factors:
    """Return the factors of the bookings in ``rows``, each at its moment (days since 1970).

    An outcome counts if it became known before the moment, not at it: a visit must not tell of itself.
    """
    client = bookings.keys.codes[rows]
    event = np.flatnonzero(bookings.is_settled & (bookings.keys.codes >= 0))
    event = event[np.lexsort((bookings.outcome_at[event], bookings.keys.codes[event]))]
    owner, known_at = bookings.keys.codes[event], bookings.outcome_at[event]
    kept = bookings.outcome[event] == 0
    misses = np.concatenate([[0.0], np.cumsum(~kept)])
    # Of one client after the other, the latest kept visit so far; a client's first row starts anew.
    visit = np.where(kept, bookings.visit_at[event], -np.inf)
    latest = pd.Series(visit).groupby(owner).cummax().to_numpy()
    first = np.searchsorted(owner, client, side="left")
    until = _search_pairs(owner, known_at, client, moments)
    until_settled = _search_pairs(owner, known_at, client, moments - UNSETTLED_DAYS)
    last_visit = np.where(until > first, latest[np.maximum(until - 1, 0)], -np.inf) if len(event) else -np.inf
    days_since = np.where(np.isfinite(last_visit), np.maximum(np.floor(moments - last_visit + 1e-9), 0), np.nan)
    settled = np.where(client >= 0, until_settled - first, 0).astype(np.float64)
    missed = misses[until_settled] - misses[np.minimum(first, until_settled)]
    rate = np.where(settled > 0, missed / np.maximum(settled, 1), np.nan)
    lead = np.maximum(np.floor(bookings.visit_at[rows] - bookings.booked_at[rows] + 1e-9), 0)
    is_new = np.isnan(days_since).astype(np.float64)
    ready = {name: values[rows] for name, values in bookings.ready.items()}
    if "cancel_rate" in ready:
        settled = np.where(np.isnan(ready["cancel_rate"]), 0.0, READY_COUNT)
    return Factors(
        days_since_last_visit=ready.get("days_since_last_visit", days_since),
        cancel_rate=ready.get("cancel_rate", rate),
        lead_time_days=np.maximum(np.nan_to_num(ready.get("lead_time_days", lead)), 0),
        is_new_client=(np.nan_to_num(ready["is_new_client"], nan=1.0) > 0).astype(np.float64)
        if "is_new_client" in ready
        else is_new,
        settled=settled,
        days_left=bookings.visit_at[rows] - moments,
        elapsed=np.maximum(moments - bookings.booked_at[rows], 0),
    )


def _search_pairs(owner: Integers, known_at: Numbers, client: Integers, moments: Numbers) -> Integers:
    """For each (client, moment), how many of the sorted pairs (owner, known_at) come before it."""
    if not len(owner):
        return np.zeros(len(client), dtype=np.int64)
    _, times = np.unique(np.concatenate([known_at, moments]), return_inverse=True)
    count = len(times) + 1
    return np.searchsorted(owner * count + times[: len(owner)], client * count + times[len(owner) :], side="left")
