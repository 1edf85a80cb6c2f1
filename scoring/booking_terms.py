"""What the booking model makes of the factors: columns, what they stand for, and what is thought of them beforehand.

Risk rises with the log of the lead time, with a step after the same day; with the client's own rate; with being new;
with how long ago the last visit was. Smooth and few, because lead times of other years are never the same.
"""

from __future__ import annotations

import numpy as np

from scoring.bookings import Factors
from scoring.frames import Numbers
from scoring.priors import BOOKING_PRECISION, LEAD_SLOPE, MISS_RATE, RATE_SLOPE, USUAL_LEAD_DAYS

RATE_WEIGHT = 2.0
"""How many imagined bookings of the usual rate a client's own are weighed against (beta-binomial)."""
USUAL_GAP_DAYS = 30.0

NAMES = (
    "base", "lead", "same_day", "lead_late", "rate", "lead_rate", "new", "gap", "gap_late",
    "later", "left", "left_late", "later_lead",
)  # fmt: skip
"""The columns, in order. The last four are 0 at the time of booking."""
FACTOR_OF = {
    "lead": "lead_time_days", "same_day": "lead_time_days", "lead_late": "lead_time_days", "rate": "cancel_rate",
    "lead_rate": "cancel_rate", "new": "is_new_client", "gap": "days_since_last_visit",
    "gap_late": "days_since_last_visit",
}  # fmt: skip
"""Of which of the seed's factors a column is part; the rest are of none."""
PRIOR_MEANS = np.array([
    np.log(MISS_RATE / (1 - MISS_RATE)), LEAD_SLOPE, 0.0, 0.0, RATE_SLOPE, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
])  # fmt: skip
PRIOR_PRECISIONS = np.full(len(NAMES), BOOKING_PRECISION)
LEAST_ELAPSED_DAYS = 0.5
"""Before that, a booking is as it was when it was made."""


def write_terms(factors: Factors, *, usual_rate: float) -> Numbers:
    """Return one column a name of `NAMES`; ``usual_rate`` is the share of bookings that fall through."""
    lead = np.log1p(factors.lead_time_days) - np.log1p(USUAL_LEAD_DAYS)
    late = np.maximum(factors.lead_time_days, 0) > 0
    known = np.nan_to_num(factors.cancel_rate) * factors.settled
    misses = known + RATE_WEIGHT * usual_rate
    others = factors.settled - known + RATE_WEIGHT * (1 - usual_rate)
    rate = np.log(misses / others) - np.log(usual_rate / (1 - usual_rate))
    gap = np.where(
        np.isnan(factors.days_since_last_visit), 0.0,
        np.log1p(np.nan_to_num(factors.days_since_last_visit)) - np.log1p(USUAL_GAP_DAYS),
    )  # fmt: skip
    later = (factors.elapsed >= LEAST_ELAPSED_DAYS).astype(np.float64)
    left = np.log1p(np.maximum(factors.days_left, 0)) - np.log1p(USUAL_LEAD_DAYS)
    return np.column_stack([
        np.ones(len(lead)), lead, ~late, np.maximum(np.log1p(factors.lead_time_days) - np.log1p(30.0), 0),
        rate, lead * rate, factors.is_new_client, gap, np.maximum(gap, 0),
        later, later * left, later * np.maximum(left, 0), later * lead,
    ]).astype(np.float64)  # fmt: skip
