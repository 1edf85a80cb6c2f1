"""The churn risk in steps, to the letter of the seed.

Source: seed 02 (Phase 2), feature 2, "Алгоритм Churn Risk"; requirement C9.
"""

from __future__ import annotations

from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

UNKNOWN_INTERVAL_DAYS = 30.0
"""What the seed puts in place of an interval that is not known."""
LIMITS = (1.0, 1.3, 1.5)
"""Deviation at which each next step begins; a step includes its lower limit."""
RISKS = (0.0, 0.3, 0.6, 0.9)
"""The risk of each step."""


@overload
def step_churn_risk(days_since: float | None, avg_interval: float | None) -> float | None: ...
@overload
def step_churn_risk(days_since: ArrayLike, avg_interval: ArrayLike) -> NDArray[np.float64]: ...


def step_churn_risk(
    days_since: ArrayLike | float | None, avg_interval: ArrayLike | float | None
) -> NDArray[np.float64] | float | None:
    """Return the seed's risk, 0.0, 0.3, 0.6 or 0.9, by days since the last visit ÷ average interval.

    Numbers in give a float out, and None where there was no visit; arrays and Series give an array with NaN there.

    Where the seed says nothing: an interval that is missing (None, NaN, NA) is 30 days, as is a key that is absent. Of
    an interval of zero days, by which the seed divides, the deviation is 0 on the day of the visit and beyond all
    limits after it: 0.0, then 0.9. A visit in the future has a negative deviation, which the seed calls 0.0.
    """
    days, interval = _as_floats(days_since), _as_floats(avg_interval)
    interval = np.where(np.isnan(interval), UNKNOWN_INTERVAL_DAYS, interval)
    is_zero = interval == 0
    deviation = np.divide(days, np.where(is_zero, 1.0, interval))
    # `days / -interval` can't occur in real data, and keeps the seed's outcome for it.
    deviation = np.where(is_zero, np.where(days > 0, np.inf, 0.0), deviation)
    risk = np.asarray(RISKS)[np.searchsorted(np.asarray(LIMITS), deviation, side="right")]
    risk = np.where(np.isnan(days), np.nan, risk)
    if risk.ndim:
        return risk
    return None if np.isnan(risk) else float(risk)


def _as_floats(values: ArrayLike | float | None) -> NDArray[np.float64]:
    """The values as floats; whatever stands for "unknown" is NaN."""
    if isinstance(values, pd.Series | pd.api.extensions.ExtensionArray):
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    return np.asarray(np.nan if values is None else values, dtype=np.float64)
