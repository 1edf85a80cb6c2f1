"""Rates with what they are of and how sure they are (METRICS, house rules)."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

from tests.oracle.records import Row

Z = 1.959964


def describe_rate(part: int, whole: int) -> Row:
    """Return the rate and Wilson's interval, four digits; nothing over nothing."""
    if not whole:
        return {"rate": None, "rate_low": None, "rate_high": None}
    share = part / whole
    centre = (share + Z**2 / (2 * whole)) / (1 + Z**2 / whole)
    half = Z * math.sqrt(share * (1 - share) / whole + Z**2 / (4 * whole**2)) / (1 + Z**2 / whole)
    return {
        "rate": round_rate(Decimal(part) / Decimal(whole)),
        "rate_low": round_rate(Decimal(max(0.0, centre - half))),
        "rate_high": round_rate(Decimal(min(1.0, centre + half))),
    }


def round_rate(rate: Decimal) -> Decimal:
    """Return four digits, half up."""
    return rate.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
