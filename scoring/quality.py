"""How good probabilities are: how well they rank, how near they come, and whether they keep their word.

``is_event`` is 0 or 1 (or bool) by row, ``probability`` is what had been foretold. Nothing to measure gives NaN.

Sources: METRICS.md, "Cancel / no-show risk" (Brier, reliability table, AUC) and the house rule on rates (n and a Wilson
interval); Brier 1950; Hanley and McNeil 1982 (AUC as a rank statistic); Naeini et al. 2015 (ECE); Wilson 1927.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata  # type: ignore[import-untyped]

BINS = 10
"""How many bins a reliability table has."""


@dataclass(frozen=True)
class Quality:
    """Measures of one set of probabilities against what came.

    ``n`` rows; ``brier`` mean squared error; ``auc``; ``ece`` in ten bins of equal width; ``base_rate`` share of
    events; ``base_brier`` mean squared error of the base rate known before (or, without one, of ``base_rate``).
    """

    n: int
    brier: float
    auc: float
    ece: float
    base_rate: float
    base_brier: float

    def to_dict(self) -> dict[str, float]:
        """Return the measures by name, NaN included: `n`, `brier`, `auc`, `ece`, `base_rate`, `base_brier`."""
        return {
            "n": self.n, "brier": self.brier, "auc": self.auc, "ece": self.ece,
            "base_rate": self.base_rate, "base_brier": self.base_brier,
        }  # fmt: skip


def measure(is_event: ArrayLike, probability: ArrayLike, *, known_rate: float | None = None) -> Quality:
    """Return all measures; ``known_rate`` is the share of events in the past, which a forecast has to beat."""
    events = np.asarray(is_event, dtype=np.float64)
    rate = float(events.mean()) if events.size else np.nan
    base = np.full(events.shape, rate if known_rate is None else known_rate)
    return Quality(
        n=len(events), brier=brier(events, probability), auc=auc(events, probability), ece=ece(events, probability),
        base_rate=rate, base_brier=brier(events, base),
    )  # fmt: skip


def brier(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Return the mean squared difference of probability and outcome: 0 is perfect."""
    events, foretold = _read(is_event, probability)
    return float(np.mean((foretold - events) ** 2)) if events.size else float("nan")


def auc(is_event: ArrayLike, probability: ArrayLike) -> float:
    """Return the chance that an event got a higher probability than a non-event; a tie counts half.

    NaN where all rows are events, or none is.
    """
    events, foretold = _read(is_event, probability)
    positives = float(events.sum())
    negatives = len(events) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(foretold)
    return float((ranks[events == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def ece(is_event: ArrayLike, probability: ArrayLike, *, bins: int = BINS, by_quantile: bool = False) -> float:
    """Return the expected calibration error: mean |share of events − mean probability| over bins, by rows."""
    table = tabulate_reliability(is_event, probability, bins=bins, by_quantile=by_quantile)
    if table.empty:
        return float("nan")
    off = (table["event_rate"] - table["mean_probability"]).abs()
    return float((off * table["n"]).sum() / table["n"].sum())


def tabulate_reliability(
    is_event: ArrayLike, probability: ArrayLike, *, bins: int = BINS, by_quantile: bool = False
) -> pd.DataFrame:
    """Return one row a bin that has rows, in ascending order.

    Columns: ``bin`` int64 (0 to bins − 1), ``n`` int64, ``mean_probability``, ``event_rate``, and its Wilson 95 %
    interval ``lower`` and ``upper``, all float64. Bins have equal width, or, ``by_quantile``, equal numbers of rows;
    equal probabilities are never parted.
    """
    events, foretold = _read(is_event, probability)
    places = (rankdata(foretold, method="min") - 1) / len(foretold) if by_quantile and len(foretold) else foretold
    bin_of = np.minimum((places * bins).astype(np.int64), bins - 1)
    grouped = pd.DataFrame({"bin": bin_of, "p": foretold, "y": events}).groupby("bin", sort=True)
    table = grouped.agg(n=("y", "size"), mean_probability=("p", "mean"), event_rate=("y", "mean")).reset_index()
    table["n"] = table["n"].astype("int64")
    table["lower"], table["upper"] = wilson_interval(table["event_rate"] * table["n"], table["n"])
    return table


def wilson_interval(
    count: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper bound of a share of ``count`` in ``n``; NaN where n is 0."""
    z = float(norm.ppf((1 + confidence) / 2))
    total = np.asarray(n, dtype=np.float64)
    total = np.where(total > 0, total, np.nan)
    share = np.asarray(count, dtype=np.float64) / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    reach = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / (1 + z**2 / total)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def _read(is_event: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as floats of one length."""
    events = np.asarray(is_event, dtype=np.float64)
    foretold = np.asarray(probability, dtype=np.float64)
    if events.shape != foretold.shape:
        raise ValueError(f"{events.shape} outcomes for {foretold.shape} probabilities; give one for each row")
    return events, foretold
