"""Personal cadence: how many days a client usually lets pass between visits.

The median of the last up to six gaps, shrunk to the tenant's median, which is shrunk to that of all tenants; a client
with one visit has the tenant's. Shrinking is done on logs, because gaps are skewed, and by counting imagined gaps.

Source: METRICS.md, "Personal cadence, overdue ratio".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from scoring.frames import Integers, Numbers
from scoring.histories import GAPS, States
from scoring.priors import CYCLE_DAYS

OWN_WEIGHT = 2.0
"""How many imagined gaps of the tenant's length a client's own are weighed against."""
TENANT_WEIGHT = 30.0
"""How many imagined gaps of the pool's length a tenant's own are weighed against."""
LEAST_DAYS = 1.0


def find_pool_cadence(states: States) -> float:
    """Return the median of all gaps in days; the prior's 30 where there is none."""
    gap = states.gaps[:, 0]
    known = gap[~np.isnan(gap)]
    return max(float(np.median(known)), LEAST_DAYS) if len(known) else CYCLE_DAYS


def find_tenant_cadences(states: States, *, tenants: int, pool: float) -> Numbers:
    """Return the median gap of each tenant in days, shrunk to the pool's."""
    gap = states.gaps[:, 0]
    known = ~np.isnan(gap)
    grouped = pd.Series(gap[known]).groupby(states.tenant[known])
    found = grouped.agg(["median", "size"]).reindex(range(tenants))
    own = np.log(found["median"].clip(lower=LEAST_DAYS).fillna(pool).to_numpy(dtype=np.float64))
    count = found["size"].fillna(0).to_numpy(dtype=np.float64)
    return np.asarray(np.exp((count * own + TENANT_WEIGHT * np.log(pool)) / (count + TENANT_WEIGHT)))


def find_cadences(states: States, tenant_cadences: Numbers) -> Numbers:
    """Return the cadence of each state in days; ``tenant_cadences`` is by state."""
    ordered = np.sort(states.gaps, axis=1)  # NaN last
    count = np.minimum(states.repeats, GAPS).astype(np.int64)
    rows = np.arange(len(count))
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, GAPS - 1)
    median = np.where(count > 0, (ordered[rows, low] + ordered[rows, high]) / 2, 1.0)
    own = np.log(np.maximum(median, LEAST_DAYS))
    return np.asarray(np.exp((count * own + OWN_WEIGHT * np.log(tenant_cadences)) / (count + OWN_WEIGHT)))


def find_irregularity(gaps: Numbers) -> Numbers:
    """Return the log variance of log gaps by state, shrunk to `USUAL_VARIANCE` by `VARIANCE_WEIGHT` imagined ones."""
    is_known = ~np.isnan(gaps)
    logs = np.log(np.maximum(np.where(is_known, gaps, 1.0), LEAST_DAYS))
    count = is_known.sum(axis=1)
    mean = (logs * is_known).sum(axis=1) / np.maximum(count, 1)
    squares = (is_known * (logs - mean[:, None]) ** 2).sum(axis=1)
    freedom = np.maximum(count - 1, 0)
    return np.asarray(np.log((squares + VARIANCE_WEIGHT * USUAL_VARIANCE) / (freedom + VARIANCE_WEIGHT)))


USUAL_VARIANCE = 0.7
"""Variance of log gaps of a client of whom no two gaps are known: that of a skewed, irregular one."""
VARIANCE_WEIGHT = 3.0


def spread(values: Numbers, places: Integers) -> Numbers:
    """Return the tenant's value by state."""
    return np.asarray(values[places])
