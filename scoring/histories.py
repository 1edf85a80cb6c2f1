"""Visits as histories: visit days in order by client, and what was known of a client after each of them.

Several visits of one client on one day are one visit day (METRICS.md, RFM: frequency = arrived days − 1). A day ends
where the frame's own zone says so, and in UTC where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

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

GAPS = 6
"""How many of a client's last gaps make the cadence (METRICS.md, Personal cadence)."""


@dataclass(frozen=True)
class Histories:
    """Visit days up to ``as_of``, ascending by client and day.

    Arrays of one length, a visit day each: ``client`` numbers the clients 0, 1, …, ``tenant`` their tenants, ``day``
    is the local calendar day (days since 1970), ``at`` the time of its last visit (days since 1970, UTC), ``value`` the
    log of one plus the day's amount (NaN: not known), ``row`` the place in the caller's frame of its last visit.
    """

    client: Integers
    tenant: Integers
    day: Numbers
    at: Numbers
    value: Numbers
    row: Integers
    tenants: tuple[str, ...]
    as_of: float

    @property
    def is_last(self) -> Flags:
        """Whether the visit day is its client's last one."""
        return np.append(self.client[1:] != self.client[:-1], True)[: len(self.client)]

    def take(self, chosen: Flags, *, as_of: float | None = None) -> Histories:
        """Return the chosen visit days only, as of a time that may be earlier."""
        return Histories(
            self.client[chosen], self.tenant[chosen], self.day[chosen], self.at[chosen], self.value[chosen],
            self.row[chosen], self.tenants, self.as_of if as_of is None else as_of,
        )  # fmt: skip

    def cut(self, as_of: float) -> Histories:
        """Return what was known at an earlier time (days since 1970)."""
        return self.take(self.at <= as_of, as_of=as_of)

    def sample(self, clients: int) -> Histories:
        """Return the histories of at most so many clients, always the same ones of the same frame."""
        count = int(self.client[-1]) + 1 if len(self.client) else 0
        if count <= clients:
            return self
        chosen = np.zeros(count, dtype=bool)
        chosen[np.random.default_rng(0).choice(count, clients, replace=False)] = True
        return self.take(chosen[self.client])


@dataclass(frozen=True)
class States:
    """What was known of a client right after a visit day; arrays of one length.

    ``repeats`` visit days before this one (frequency), ``recency`` days from the first to this one, ``gaps`` the last
    up to six gaps in days (one a column, NaN where there were fewer), ``value`` the mean of the known values so far,
    ``until_next`` days to the next visit day, NaN where none was seen, ``tenant`` the tenant's number.
    """

    repeats: Numbers
    recency: Numbers
    gaps: Numbers
    value: Numbers
    until_next: Numbers
    tenant: Integers

    def take(self, chosen: Flags | Integers) -> States:
        """Return the chosen ones."""
        return States(
            self.repeats[chosen], self.recency[chosen], self.gaps[chosen], self.value[chosen],
            self.until_next[chosen], self.tenant[chosen],
        )  # fmt: skip


def read_histories(visits: pd.DataFrame, as_of: object) -> tuple[Histories, Keys]:
    """Return the histories up to ``as_of``, and the keys of all rows of the frame.

    Needs ``client_id`` (no missing ones) and ``visit_at``; ``tenant_id`` and ``amount`` are optional. Rows after
    ``as_of`` are dropped before anything else. Raises `FrameError` for a missing column or one of the wrong kind.
    """
    require_columns(visits, ("client_id", "visit_at"), frame_name="visits")
    moment = read_moment(as_of)
    at = read_times(visits, "visit_at", frame_name="visits")
    keys = number_keys(visits)
    seen = np.flatnonzero((at <= moment).to_numpy() & (keys.codes >= 0))
    local = visits["visit_at"]
    zone = local.dt.tz_localize(None) if isinstance(local.dtype, pd.DatetimeTZDtype) else at
    day = np.floor(to_days(zone.iloc[seen]))
    exact = to_days(at.iloc[seen])
    if "amount" in visits.columns:
        amount = read_numbers(visits, "amount", frame_name="visits")[seen]
    else:
        amount = np.full(len(seen), np.nan)
    codes = keys.codes[seen]
    is_sorted = (codes[1:] > codes[:-1]) | ((codes[1:] == codes[:-1]) & (exact[1:] >= exact[:-1]))
    if not is_sorted.all():
        order = np.lexsort((exact, codes))
        codes, day, exact, amount, seen = codes[order], day[order], exact[order], amount[order], seen[order]
    starts = _mark_starts(codes, day)
    place = np.cumsum(starts) - 1
    known = ~np.isnan(amount)
    days = int(place[-1]) + 1 if len(place) else 0
    spent = np.bincount(place[known], np.maximum(amount[known], 0), minlength=days)
    paid = np.bincount(place[known], minlength=days) > 0
    last = np.append(np.flatnonzero(starts)[1:], len(codes)).astype(np.int64) - 1 if days else np.empty(0, np.int64)
    _, client = np.unique(codes[last], return_inverse=True)
    histories = Histories(
        client=client.astype(np.int64),
        tenant=keys.tenant_codes[seen[last]],
        day=day[last],
        at=exact[last],
        # Rounded, so that the order in which equal times are added leaves no trace.
        value=np.where(paid, np.round(np.log1p(spent), 6), np.nan),
        row=seen[last],
        tenants=tuple(map(str, keys.tenants)),
        as_of=count_days(moment),
    )
    return histories, keys


def describe_states(histories: Histories) -> States:
    """Return the states after each visit day of the histories."""
    client, day = histories.client, histories.day
    size = len(client)
    is_first = np.insert(client[1:] != client[:-1], 0, True)[:size]
    start = np.flatnonzero(is_first)[np.cumsum(is_first) - 1] if size else np.empty(0, np.int64)
    repeats = np.arange(size) - start
    gap = np.diff(day, prepend=np.nan)
    gaps = np.full((size, GAPS), np.nan)
    for back in range(min(GAPS, size)):
        shifted = np.concatenate([np.full(back, np.nan), gap[: size - back]])
        gaps[:, back] = np.where(repeats > back, shifted, np.nan)
    known = ~np.isnan(histories.value)
    total, count = np.cumsum(np.nan_to_num(histories.value)), np.cumsum(known)
    before = start - 1
    total = total - np.where(start > 0, total[before], 0.0)
    count = count - np.where(start > 0, count[before], 0)
    following = np.append(day[1:], np.nan)[:size]
    return States(
        repeats=repeats.astype(np.float64),
        recency=day - day[start],
        gaps=gaps,
        value=np.where(count > 0, total / np.maximum(count, 1), np.nan),
        until_next=np.where(histories.is_last, np.nan, following - day),
        tenant=histories.tenant,
    )


def describe_last(histories: Histories) -> States:
    """Return each client's state after the last visit day, in the order of clients, without the rest's memory."""
    day = histories.day
    last = np.flatnonzero(histories.is_last)
    first = np.insert(last[:-1] + 1, 0, 0) if len(last) else last
    repeats = last - first
    gaps = np.full((len(last), GAPS), np.nan)
    for back in range(GAPS):
        known = repeats > back
        later = last[known] - back
        gaps[known, back] = day[later] - day[later - 1]
    place = np.repeat(np.arange(len(last)), repeats + 1)
    is_known = ~np.isnan(histories.value)
    count = np.bincount(place[is_known], minlength=len(last))
    total = np.bincount(place[is_known], histories.value[is_known], minlength=len(last))
    return States(
        repeats=repeats.astype(np.float64),
        recency=day[last] - day[first],
        gaps=gaps,
        value=np.where(count > 0, total / np.maximum(count, 1), np.nan),
        until_next=np.full(len(last), np.nan),
        tenant=histories.tenant[last],
    )


def _mark_starts(codes: Integers, day: Numbers) -> Flags:
    """Whether a row begins another client or day than the row before."""
    if not len(codes):
        return np.zeros(0, dtype=bool)
    return np.insert((codes[1:] != codes[:-1]) | (day[1:] != day[:-1]), 0, True)
