"""Which days of a tenant had unusually few or many messages, sessions or bookings, by what it and its pool have.

The model. A count y of tenant t on weekday w is negative binomial with mean and variance

    mu = m[t] q[w] theta[t, w]          V = s[t] (c mu + r mu^2), never below mu

m is the tenant's level, q the weekday profile of all tenants, theta how the tenant departs from it. Each is estimated
by Gamma-Poisson conjugacy: with a prior Gamma(a, a) on a factor around what is expected of it, y counts where e were
expected give Gamma(a + y, a + e), whose mean is (a + y) / (a + e) and whose relative variance is 1 / (a + y). Counts
are divided by V / mu first, so that scattered ones count for less. The prior's a is the inverse of how much tenants
differ, by the method of moments: squared deviations beyond what chance explains. c (rows that come in bunches: a
dialogue has many messages) and r (demand that moves from day to day) are pooled, from squared residuals regressed on
mu; s is the tenant's own factor, in which the pool weighs as much as `POOL_DAYS` days. So a tenant with fewer days
leans on the pool, and one with more on itself. What is not known of m, q and theta adds to V; the negative binomial
with that mean and variance is the posterior predictive distribution, and its quantiles are the bounds.

What is history. The `WINDOW_DAYS` days before the judged one, from the tenant's first activity in any measure on; a
day without a row is a zero. The judged day and later ones are never part of it. In the level m a day weighs half
after `HALF_LIFE` days, so that steady growth raises no alarm. A past day further than `CAP` standard deviations from
its mean counts as that far, so that a burst does not hide the next fault for weeks.

How often it errs. A run in which nothing is wrong reports anything with a chance of about alpha, or less: each
judgement gets alpha / (number of judgements in the run), half of it on either side (Bonferroni). Counts are whole
numbers: where zero is not rare enough, the lower bound is zero, and only `expectations.freshness` sees a bot stop.

Days that are off. A tenant that is always closed on Sundays has theta near zero there after two or three of them;
before that, how much tenants differ by weekday keeps the lower bound low. A day that is off for the whole chain (a
public holiday, or an outage of the bots) is reported for every tenant with volume enough to show it, because no count
tells the one from the other, and an outage of all must not pass for a holiday: read many findings of one day as one.

Sources: Gelman et al., Bayesian Data Analysis, 3rd edition, 2.6 (Gamma-Poisson conjugacy, negative binomial as its
predictive distribution) and 5 (shrinkage); DerSimonian and Laird 1986 (pooled means by moments); McCullagh and Nelder,
Generalized Linear Models, 2nd edition, 9.2 (dispersion from squared residuals); West and Harrison, Bayesian
Forecasting and Dynamic Models, 2nd edition, 6.3 (discounting); Farrington et al. 1996 (past outbreaks weigh less).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nbinom, norm  # type: ignore[import-untyped]
from scipy.stats import t as student

ALPHA = 0.05
"""The chance that a run reports anything although nothing is wrong."""
WINDOW_DAYS = 56
"""How many days before the judged one are its history: eight of each weekday."""
POOL_DAYS = 14.0
"""How many days of its own a tenant needs to outweigh the pool."""
HALF_LIFE = 14.0
"""After how many days a day weighs half in a tenant's level."""
CAP = 4.0
"""How many standard deviations from its mean a past day counts at most."""
WEEKDAY_VARIANCE = 0.1
"""How much tenants differ by weekday (variance of theta) as long as there are none to learn it from: by a third."""
LEAST_WEEKDAY_VARIANCE = 0.005
"""Tenants are never taken to be wholly alike."""
ROUNDS = 6
"""How often the parts of the model are fitted to each other; after four they hardly change."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class DailyCount:
    """How many rows of a measure a tenant has on one of its local days; a day without one of these has none."""

    tenant_id: UUID
    day: date
    measure: str
    count: int


@dataclass(frozen=True, order=True)
class AskedDay:
    """One complete local day of a tenant and measure that is to be judged."""

    tenant_id: UUID
    day: date
    measure: str


@dataclass(frozen=True)
class VolumeVerdict:
    """One judged day: the count, its expectation, and the least and greatest counts that are usual."""

    tenant_id: UUID
    day: date
    measure: str
    observed: float
    expected: float
    lower: float
    upper: float
    is_unusual: bool


class Forecast(NamedTuple):
    """What to expect of a day, one number a tenant.

    ``variance`` is that of the count, with what is not known of the mean; ``bunch`` is how many rows come together;
    ``freedom`` is on how many days' worth of residuals the variance rests.
    """

    mean: Numbers
    variance: Numbers
    bunch: Numbers
    freedom: Numbers


class Variance(NamedTuple):
    """Variance of a count by tenant and weekday; how many rows come together; how many days' worth it rests on."""

    of_count: Numbers
    bunch: Numbers
    freedom: Numbers


def judge_volumes(
    *,
    counts: Iterable[DailyCount],
    asked: Iterable[AskedDay],
    window_days: int = WINDOW_DAYS,
    alpha: float = ALPHA,
) -> list[VolumeVerdict]:
    """Return a verdict for each asked day with a history of at least one day since the tenant's first activity.

    ``counts`` are those of all tenants, which are each other's pool; ``alpha`` is shared by all verdicts of the call.
    """
    counted = {(row.tenant_id, row.day, row.measure): row.count for row in counts}
    first_days: dict[UUID, date] = {}
    for (tenant_id, day, _), count in counted.items():
        if count > 0 and day < first_days.get(tenant_id, date.max):
            first_days[tenant_id] = day
    by_fit: dict[tuple[date, str], list[UUID]] = defaultdict(list)
    for question in set(asked):
        if first_days.get(question.tenant_id, date.max) < question.day:
            by_fit[question.day, question.measure].append(question.tenant_id)
    if not by_fit:
        return []
    tenants = {tenant_id: row for row, tenant_id in enumerate(first_days)}
    firsts = np.array([day.toordinal() for day in first_days.values()])
    start = min(by_fit)[0].toordinal() - window_days
    grids = _fill_grids(counted, tenants, start=start, end=max(by_fit)[0].toordinal())
    forecasts = []
    for (day, measure), tenant_ids in by_fit.items():
        days = np.arange(day.toordinal() - window_days, day.toordinal())
        known = (days >= firsts[:, None]).astype(float)
        begun = np.flatnonzero(known.any(axis=1))
        history = grids[measure][begun][:, days - start] * known[begun]
        forecast = _forecast(history, known[begun], weekdays=(days + 6) % 7, weekday=day.weekday())
        places = np.searchsorted(begun, [tenants[tenant_id] for tenant_id in tenant_ids])
        forecasts.append([part[places] for part in forecast])
    keys = [(tenant_id, *fit) for fit, tenant_ids in by_fit.items() for tenant_id in tenant_ids]
    forecast = Forecast(*(np.concatenate(parts) for parts in zip(*forecasts, strict=True)))
    lower, upper = _bound(forecast, tail=alpha / len(keys) / 2)
    verdicts = [
        VolumeVerdict(
            *key, observed=float(counted.get(key, 0)), expected=expected, lower=low, upper=high,
            is_unusual=not low <= counted.get(key, 0) <= high,
        )
        for key, expected, low, high in zip(keys, forecast.mean.tolist(), lower.tolist(), upper.tolist(), strict=True)
    ]  # fmt: skip
    return sorted(verdicts, key=lambda verdict: (verdict.tenant_id, verdict.day, verdict.measure))


def _fill_grids(
    counted: dict[tuple[UUID, date, str], int], tenants: dict[UUID, int], *, start: int, end: int
) -> dict[str, Numbers]:
    """Counts by measure, one row a tenant and one column a day: ordinals from ``start`` up to ``end``."""
    grids: dict[str, Numbers] = defaultdict(lambda: np.zeros((len(tenants), end - start)))
    for (tenant_id, day, measure), count in counted.items():
        if count > 0 and start <= day.toordinal() < end:
            grids[measure][tenants[tenant_id], day.toordinal() - start] = count
    return grids


def _bound(forecast: Forecast, *, tail: float) -> tuple[Numbers, Numbers]:
    """The least and greatest usual counts; outside of them lies at most ``tail`` on either side."""
    mean, variance, bunch, freedom = forecast
    # A variance that is estimated itself makes tails heavier: by as much as Student's t is heavier than the normal.
    tails = norm.sf(student.isf(tail, freedom))
    size = mean**2 / np.maximum(variance - mean, 1e-9 * mean)
    lower = nbinom.ppf(tails, size, size / (size + mean))
    upper = nbinom.isf(tails, size, size / (size + mean))
    # None of a few bunches is likelier than none of many single rows with the same variance.
    size = mean**2 / np.maximum(variance - bunch * mean, 1e-9 * mean)
    of_bunches = np.floor(bunch * nbinom.ppf(tails, size, size / (size + mean / bunch)))
    # A skewed distribution may have its mean beyond its quantiles; what is expected is never unusual.
    return np.fmin(np.fmin(lower, of_bunches), np.floor(mean)), np.fmax(upper, np.ceil(mean))


def _forecast(history: Numbers, known: Numbers, *, weekdays: NDArray[np.int64], weekday: int) -> Forecast:
    """What to expect of the day after the history, which is a ``weekday``.

    ``history`` has one row a tenant and one column a day; ``known`` is 0 where the tenant had not begun, else 1.
    """
    is_weekday = np.eye(7)[weekdays]
    fading = (0.5 ** (np.arange(len(weekdays))[::-1] / HALF_LIFE))[:, None] * is_weekday
    days = known @ is_weekday
    capped, profile, dispersion = history, np.ones_like(days), np.ones_like(days)
    for _ in range(ROUNDS):
        level, _ = _fit_level(capped @ is_weekday, days, profile, dispersion)
        profile, profile_doubt, own_share = _fit_profile(capped @ is_weekday, days, level, dispersion)
        mean = level[:, None] * profile
        variance = _fit_variance(capped, known, mean, dispersion, own_share, weekdays)
        dispersion = variance.of_count / mean
        center, reach = mean[:, weekdays], CAP * np.sqrt(variance.of_count[:, weekdays])
        capped = known * np.clip(history, np.maximum(center - reach, 0), center + reach + 3)
    recent_level, level_doubt = _fit_level(capped @ fading, known @ fading, profile, dispersion)
    growth = recent_level / level
    expected = mean[:, weekday] * growth
    spread = variance.of_count[:, weekday] * growth * np.maximum(growth, 1)
    spread += (level_doubt + profile_doubt[:, weekday]) * expected**2
    return Forecast(expected, spread, variance.bunch[:, weekday], variance.freedom)


def _fit_level(sums: Numbers, days: Numbers, profile: Numbers, dispersion: Numbers) -> tuple[Numbers, Numbers]:
    """Count a day per tenant (m), shrunk to the mean of all tenants, and its relative variance."""
    exposure = (days * profile).sum(axis=1)
    chance = (dispersion * days * profile).sum(axis=1) / exposure
    length = days.sum(axis=1)
    rate = sums.sum(axis=1) / exposure
    # Half a count keeps a measure that nobody has from being impossible.
    pooled = ((length * rate).sum() + 0.5) / length.sum()
    excess = (length * ((rate - pooled) ** 2 - chance * rate / exposure)).sum() / length.sum() / pooled**2
    # One imagined tenant, as far from the others as it is large, weighs in as long as there are few.
    strength = (1 + len(rate)) / (1 + len(rate) * max(excess, 0.0))
    counts = sums.sum(axis=1) / chance
    return pooled * (strength + counts) / (strength + pooled * exposure / chance), 1 / (strength + counts)


def _fit_profile(sums: Numbers, days: Numbers, level: Numbers, dispersion: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Weekday profile per tenant (q theta), its relative variance, and the part of it that its own days decide."""
    counts, flat = sums / dispersion, level[:, None] * days / dispersion
    variance = np.full(len(level), WEEKDAY_VARIANCE)
    for _ in range(2):
        weight = 1 / (1 + flat * variance[:, None])
        pool_counts, pool_flat = 1 + (weight * counts).sum(axis=0), 1 + (weight * flat).sum(axis=0)
        expected = flat * pool_counts / pool_flat
        variance = _fit_weekday_variance(counts, expected)
    strength = 1 / variance[:, None]
    profile = pool_counts / pool_flat * (strength + counts) / (strength + expected)
    own_share = expected / (strength + expected)
    # The pool's doubt touches what a tenant's own days leave open.
    doubt = 1 / (strength + counts) + (1 - own_share) ** 2 / pool_counts
    return profile, doubt, 1 - (1 - weight * flat / pool_flat) * (1 - own_share)


def _fit_weekday_variance(counts: Numbers, expected: Numbers) -> Numbers:
    """How far a tenant's weekdays depart from the pool's (variance of theta), shrunk to how far those of all do."""
    weight = 1 / (1 + WEEKDAY_VARIANCE * expected) ** 2
    found = (weight * ((counts - expected) ** 2 - expected)).sum(axis=1)
    evidence = (weight * expected**2).sum(axis=1)
    strength = 7 / WEEKDAY_VARIANCE**2  # of one tenant with all the evidence that there can be
    pooled = (strength * WEEKDAY_VARIANCE + found.sum()) / (strength + evidence.sum())
    own = (strength * max(pooled, LEAST_WEEKDAY_VARIANCE) + found) / (strength + evidence)
    variance: Numbers = np.maximum(own, LEAST_WEEKDAY_VARIANCE)
    return variance


def _fit_variance(
    capped: Numbers, known: Numbers, mean: Numbers, dispersion: Numbers, own_share: Numbers,
    weekdays: NDArray[np.int64],
) -> Variance:  # fmt: skip
    """V per tenant and weekday; ``dispersion`` is V / mu as fitted before."""
    days = known @ np.eye(7)[weekdays]
    # A day draws its own expectation to itself, and so leaves too small a residual.
    drawn = own_share / np.maximum(days, 1) + (1 - own_share) / days.sum(axis=1, keepdims=True)
    expected = mean[:, weekdays]
    squares = (capped - expected) ** 2 / expected / (1 - np.minimum(drawn, 0.75))[:, weekdays]
    # Squared residuals say the less, the longer the tail: by the negative binomial's excess of kurtosis.
    kurtosis = 6 * (dispersion - 1) / mean + 1 / (dispersion * mean)
    weight = known * (2 / (2 + kurtosis))[:, weekdays]
    bunch, drift = 1.0, 0.0
    for _ in range(2):
        bunch, drift = _regress(squares, expected, weight / (bunch + drift * expected) ** 2)
    freedom = POOL_DAYS + weight.sum(axis=1)
    own = (POOL_DAYS + (weight * squares / (bunch + drift * expected)).sum(axis=1)) / freedom
    of_count = np.maximum(own[:, None] * (bunch + drift * mean) * mean, mean)
    return Variance(of_count, np.clip(own[:, None] * bunch, 1, of_count / mean), freedom)


def _regress(squares: Numbers, expected: Numbers, weight: Numbers) -> tuple[float, float]:
    """Fit squares = bunch + drift * expected (c and r) by weighted least squares, at least 1 and 0."""
    least = weight.max()  # of one imagined day with a square of 1
    middle = (weight * expected).sum() / weight.sum()
    height = (least + (weight * squares).sum()) / (least + weight.sum())
    apart = expected - middle
    # Tenants all alike cannot tell bunches from drift: then bunches it is, which leave more room for a day of zero.
    drift = (weight * apart * squares).sum() / ((weight * apart**2).sum() + POOL_DAYS * least * middle**2)
    bunch = height - max(drift, 0.0) * middle
    if bunch < 1:
        return 1.0, max(float((weight * expected * (squares - 1)).sum() / (weight * expected**2).sum()), 0.0)
    return float(bunch), max(float(drift), 0.0)
