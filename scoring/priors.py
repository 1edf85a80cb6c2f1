"""What is taken for granted before there is any history: values, and where they are from.

Both priors are weak. They decide alone on a new installation, and yield to a few dozen rows.
"""

from __future__ import annotations

CYCLE_DAYS = 30.0
"""A client comes every 30 days on average: seed 02, feature 2 (``avg_visit_interval`` missing → 30).

Days between visits are exponential, the one distribution without a second parameter: the probability of no visit
within h days is exp(−h / cycle), and 0.37 within one cycle."""

HAZARD_PRECISION = 3.0
"""One over the variance of a coefficient of the visit hazard, per standard deviation of its column; its mean is 0.

With all coefficients at 0 the hazard is one visit a cycle, which is the prior above."""

MISS_RATE = 0.23
"""Share of bookings that fall through: 23 % over 105 studies (Dantas et al. 2018, Health Policy 122, 412-421)."""

USUAL_LEAD_DAYS = 7.0
"""At which lead time a booking of a known client has that rate; an assumption, the studies name none."""

LEAD_SLOPE = 0.5
"""Log odds for each unit of log(1 + lead days).

Odds are 5.45 times as high from four weeks on as below a day (263,464 appointments, PMC11149957), over log(1 + 28)."""

RATE_SLOPE = 0.9
"""Log odds for each unit of the log odds of the client's own earlier rate, shrunk as `scoring.booking_terms` does.

Odds after a missed visit are 4.42 times as high as after a kept one (same source), over what one outcome moves."""

BOOKING_PRECISION = 1.0
"""One over the variance of a booking coefficient around its prior mean, on the scale of the terms."""
