"""Columns as they are: pandas makes of texts beside nothing, and of whole numbers beside nothing, something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd


def add_columns(frame: pd.DataFrame, **columns: Sequence[object]) -> pd.DataFrame:
    """Return the frame with columns added or replaced, a value a row, none of them converted."""
    return frame.assign(
        **{name: pd.Series(list(values), index=frame.index, dtype=object) for name, values in columns.items()}
    )


def list_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries; `DataFrame.to_dict` takes five times as long to look at each value."""
    names = frame.columns.tolist()
    columns = [frame[name].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
