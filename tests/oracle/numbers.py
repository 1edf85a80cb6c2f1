"""How the marts round: rates half up, means half away from zero, percentiles half to even."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

MILLISECOND = timedelta(milliseconds=1)


def count_milliseconds(start: datetime, end: datetime) -> int:
    """Return the milliseconds between two moments, to the nearest whole one, half away from zero."""
    whole, rest = divmod(abs(end - start), MILLISECOND)
    return (whole + (rest * 2 >= MILLISECOND)) * (-1 if end < start else 1)


def compute_percent(part: int, whole: int) -> Decimal | None:
    """Return the part per hundred of the whole with two digits; over nothing, nothing."""
    if whole == 0:
        return None
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def compute_mean(values: list[int]) -> int | None:
    """Return the mean, to a whole number."""
    if not values:
        return None
    return int((Decimal(sum(values)) / Decimal(len(values))).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def compute_percentile(values: list[int], share: float) -> int | None:
    """Return the value that `share` of the values stay below, by linear interpolation, to a whole number."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return round(float(low) + (place - math.floor(place)) * (high - low))
