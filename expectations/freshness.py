"""Which tenants have been silent for longer than their own rhythm and that of their pool let expect.

The model. The longest silence x that begins on an active local day of tenant t, a weekday w, is log-normal:

    log x = m[t] + g[w] + b[t, w] + noise          noise of variance s[t]^2

m is the tenant's own rhythm, g the weekdays of all tenants, b how the tenant's weekdays depart from these (one that is
closed on Sundays is silent for long from Saturday on). Each is a mean shrunk by normal conjugacy: of n silences with
noise s^2, and a prior of variance v, the own mean counts n v / (n v + s^2), and v s^2 / (n v + s^2) is what is not
known of it. v is how much tenants differ, by the method of moments: squared deviations beyond the noise. s^2 is shrunk
to the pool's, which weighs as much as `POOL_DAYS` days (scaled inverse chi-square prior). So a tenant with fewer
active days leans on the pool, and one with more on itself. The limit is the quantile of Student's t, with the sum of
these variances, at 1 - alpha / (number of tenants judged).

Where logarithms have longer tails than the normal (a quiet tenant now and then has a day without anybody), the pool's
own past is asked: the limit is not below what so few of the past silences, measured in their tenant's own spread, went
beyond, but for this reason never above `FURTHEST` times the expected.

What is compared. The silence from the last message to the present, with those that began on the same weekday; the
day of the last message is no history, because its silence is not over. A weekly closing day is part of the rhythm
after two or three weeks; a public holiday of several days, which the window does not know, may be reported.

How often it errs. Of all silences of all tenants, about alpha a day go beyond their limits, or fewer. One that is over
before anyone looks is not reported: the more often one looks, the nearer to alpha.

Sources: Gelman et al., Bayesian Data Analysis, 3rd edition, 2.5 and 2.6 (normal mean; scaled inverse chi-square
variance), 3.2 (Student's t as predictive distribution), 5.4 (shrinkage of normal means); Vovk, Gammerman and Shafer,
Algorithmic Learning in a Random World, 2.2 (limits from the ranks of the past).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student  # type: ignore[import-untyped]

ALPHA = 0.05
"""The chance that a look at the tenants reports anything although nothing is wrong."""
POOL_DAYS = 14.0
"""How many active days of its own a tenant needs to outweigh the pool."""
USUAL_SPREAD = 0.4
"""Standard deviation of a silence's logarithm as long as there are none to learn it from."""
LEAST_SPREAD = 0.2
"""No rhythm is taken to be steadier than that (demo data and time-triggered messages are)."""
SALON_VARIANCE = 0.25
"""Variance of log x between tenants as long as there are none to learn it from."""
WEEKDAY_VARIANCE = 0.05
"""Variance of log x between weekdays (b) as long as there are none to learn it from."""
LEAST_VARIANCE = 0.005
"""Neither tenants nor weekdays are ever taken to be wholly alike."""
CAP = 4.0
"""How many standard deviations from its mean a past silence counts at most, so that an outage hides no later one."""
FURTHEST = 4.0
"""How many times the expected silence long tails in the past can make the limit."""
ROUNDS = 6
"""How often the parts of the model are fitted to each other; after four they hardly change."""
SHORTEST = 1 / 60
"""Hours. Silences below a minute are taken as one: their logarithm would outweigh all others."""

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class LongestSilence:
    """The longest silence, in hours, that began on a local day of a tenant and is over."""

    tenant_id: UUID
    day: date
    hours: float


@dataclass(frozen=True)
class LastMessage:
    """When a tenant's last message was written, and which local day that was."""

    tenant_id: UUID
    sent_at: datetime
    day: date


@dataclass(frozen=True)
class FreshnessVerdict:
    """How long a tenant has been silent, in hours, beside what is usual (median of its longest silences a day)."""

    tenant_id: UUID
    last_message_at: datetime
    silent_hours: float
    usual_hours: float
    limit_hours: float
    is_unusual: bool


class _Rhythm(NamedTuple):
    """The fitted model: log hours and what is not known of them, by tenant and weekday; noise and its freedom.

    ``distances`` are those of past silences from their expectation, in standard deviations; ``pooled`` the pool's mean.
    """

    mean: Numbers
    doubt: Numbers
    noise: Numbers
    freedom: Numbers
    distances: Numbers
    pooled: float


def judge_freshness(
    *,
    silences: Iterable[LongestSilence],
    last_messages: Iterable[LastMessage],
    present: datetime,
    alpha: float = ALPHA,
) -> list[FreshnessVerdict]:
    """Return a verdict for each tenant that has a last message, one a tenant; none at all without any silence.

    ``silences`` are those of all tenants over the window, at most one a tenant and day, and make the pool; those
    that began on the day of the tenant's last message, or later, are not over and are passed over. ``alpha`` is
    shared by all verdicts of the call.
    """
    latest = {message.tenant_id: message for message in last_messages}
    rows = {tenant_id: row for row, tenant_id in enumerate(sorted(latest))}
    past = [
        silence
        for silence in silences
        if silence.tenant_id in rows and silence.day < latest[silence.tenant_id].day and math.isfinite(silence.hours)
    ]
    if not past:
        return []
    tenants = np.array([rows[silence.tenant_id] for silence in past])
    weekdays = np.array([silence.day.weekday() for silence in past])
    hours = np.array([silence.hours for silence in past])
    rhythm = _fit_rhythm(np.log(np.maximum(hours, SHORTEST)), tenants, weekdays, number=len(rows))
    begun = (np.arange(len(rows)), np.array([latest[tenant_id].day.weekday() for tenant_id in rows]))
    spread = np.sqrt(rhythm.noise + rhythm.doubt[begun])
    tail = alpha / len(rows)
    further = np.sort(rhythm.distances)[::-1][min(math.floor(tail * (len(past) + 1)), len(past) - 1)]
    reach = np.maximum(student.isf(tail, rhythm.freedom) * spread, np.minimum(further * spread, math.log(FURTHEST)))
    limits = np.exp(rhythm.mean[begun] + reach)
    verdicts = []
    for (tenant_id, row), limit in zip(rows.items(), limits.tolist(), strict=True):
        silent = max((present - latest[tenant_id].sent_at).total_seconds(), 0.0) / 3600
        own = hours[tenants == row]
        verdicts.append(
            FreshnessVerdict(
                tenant_id=tenant_id, last_message_at=latest[tenant_id].sent_at, silent_hours=silent,
                usual_hours=float(np.median(own)) if len(own) else math.exp(rhythm.pooled),
                limit_hours=limit, is_unusual=silent > limit,
            )
        )  # fmt: skip
    return verdicts


def _fit_rhythm(logs: Numbers, tenants: Places, weekdays: Places, *, number: int) -> _Rhythm:
    """Fit the model to log hours, each of a tenant (0 up to ``number``) and a weekday."""

    def add_up(values: Numbers) -> Numbers:
        sums = np.bincount(tenants * 7 + weekdays, weights=values, minlength=number * 7)
        return sums.reshape(number, 7).astype(float)

    days = add_up(np.ones_like(logs))
    length = days.sum(axis=1)
    mean, by_weekday = np.full((number, 7), logs.mean()), np.zeros((number, 7))
    noise = np.full(number, USUAL_SPREAD**2 + float(logs.var()))
    for _ in range(ROUNDS):
        reach = CAP * np.sqrt(noise)[tenants]
        center = mean[tenants, weekdays]
        sums = add_up(np.clip(logs, center - reach, center + reach))
        own = _divide((sums - days * by_weekday).sum(axis=1), length)
        pooled, level, level_doubt = _shrink_levels(own, length / noise)
        by_weekday, weekday_doubt, own_share = _shrink_weekdays(
            _divide(sums, days) - level[:, None], days / noise[:, None]
        )
        mean = level[:, None] + by_weekday
        # A day draws its own expectation to itself, and so leaves too small a residual.
        drawn = _divide(own_share, days) + (1 - own_share) / np.maximum(length, 1)[:, None]
        kept = (1 - np.minimum(drawn, 0.75))[tenants, weekdays]
        residuals = np.clip(logs - mean[tenants, weekdays], -reach, reach)
        squares = add_up(residuals**2 / kept).sum(axis=1)
        pool = (POOL_DAYS * USUAL_SPREAD**2 + squares.sum()) / (POOL_DAYS + length.sum())
        noise = np.maximum((POOL_DAYS * pool + squares) / (POOL_DAYS + length), LEAST_SPREAD**2)
    doubt = level_doubt[:, None] + weekday_doubt
    distances = (logs - mean[tenants, weekdays]) / kept / np.sqrt(noise[:, None] + doubt)[tenants, weekdays]
    return _Rhythm(mean, doubt, noise, POOL_DAYS + length, distances, pooled)


def _shrink_levels(own: Numbers, precision: Numbers) -> tuple[float, Numbers, Numbers]:
    """The pool's mean, each tenant's mean shrunk to it (m), and what is not known of that."""
    variance = SALON_VARIANCE
    for _ in range(2):
        weight = precision / (1 + variance * precision)
        pooled = float((weight * own).sum() / weight.sum())
        there = precision > 0
        excess = ((own - pooled) ** 2 - _divide(np.ones_like(own), precision))[there].sum()
        # One imagined tenant weighs in as long as there are few.
        variance = max((SALON_VARIANCE + excess) / (1 + there.sum()), LEAST_VARIANCE)
    share = variance * precision / (1 + variance * precision)
    doubt = variance * (1 - share) + (1 - share) ** 2 / weight.sum()
    return pooled, pooled + share * (own - pooled), doubt


def _shrink_weekdays(found: Numbers, precision: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Weekday effects per tenant (g + b), what is not known of them, and the part that its own days decide."""
    variance = np.full(len(found), WEEKDAY_VARIANCE)
    for _ in range(2):
        weight = precision / (1 + variance[:, None] * precision)
        pooled = (weight * found).sum(axis=0) / (1 / WEEKDAY_VARIANCE + weight.sum(axis=0))
        certainty = (WEEKDAY_VARIANCE * precision / (1 + WEEKDAY_VARIANCE * precision)) ** 2
        excess = certainty * ((found - pooled) ** 2 - _divide(np.ones_like(found), precision))
        prior = (7 * WEEKDAY_VARIANCE + excess.sum()) / (7 + certainty.sum())
        own = (7 * max(prior, LEAST_VARIANCE) + excess.sum(axis=1)) / (7 + certainty.sum(axis=1))
        variance = np.maximum(own, LEAST_VARIANCE)
    share = variance[:, None] * precision / (1 + variance[:, None] * precision)
    pool_doubt = 1 / (1 / WEEKDAY_VARIANCE + weight.sum(axis=0))
    doubt = variance[:, None] * (1 - share) + (1 - share) ** 2 * pool_doubt
    return pooled + share * (found - pooled), doubt, share


def _divide(numerator: Numbers, denominator: Numbers) -> Numbers:
    """Divide; 0 where there is nothing to divide by."""
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)
