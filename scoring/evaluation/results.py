"""What an evaluation gives: rows of a table, and the probabilities behind the last one of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.quality import auc, brier, ece

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One rule or model on one task; ``brier`` and ``ece`` are NaN for a score that is no probability."""

    name: str
    auc: float
    brier: float
    ece: float
    n: int


@dataclass(frozen=True)
class Evaluation:
    """One task: how it is split, its rows, and what ours foretold of what came."""

    task: str
    split: str
    rows: tuple[Row, ...]
    is_event: Numbers
    foretold: Numbers

    @property
    def ours(self) -> Row:
        """The row of the product's own model, which is the last."""
        return self.rows[-1]


def rate(name: str, is_event: Numbers, foretold: Numbers) -> Row:
    """Return the row of probabilities."""
    return Row(name, auc(is_event, foretold), brier(is_event, foretold), ece(is_event, foretold), len(is_event))


def rank(name: str, is_event: Numbers, score: Numbers) -> Row:
    """Return the row of a score that only ranks."""
    return Row(name, auc(is_event, score), float("nan"), float("nan"), len(is_event))
