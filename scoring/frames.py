"""Reading the frames that callers give: the columns that must be there, their kinds, and one clock.

Times may carry a zone or not; without one they are UTC (METRICS.md: times stored UTC). Nothing is written back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.errors import FrameError

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY = pd.Timedelta(days=1)
EPOCH = pd.Timestamp("1970-01-01")
NO_TENANT = ""
"""The tenant of a frame that has no ``tenant_id``."""


@dataclass(frozen=True)
class Keys:
    """Rows numbered by tenant and client.

    ``codes`` is the client's number by row (int64, ascending by tenant and client), −1 where the client is not known;
    ``tenant_codes`` the tenant's number by row; ``tenants`` the tenants in the order of their numbers.
    """

    codes: Integers
    tenant_codes: Integers
    tenants: pd.Index


def require_columns(frame: pd.DataFrame, names: tuple[str, ...], *, frame_name: str) -> None:
    """Raise `FrameError` where one of the columns is not there."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise FrameError(
            f"`{frame_name}` has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns)) or 'no'}.",
            cure=f"Give one row with {', '.join(names)}.",
        )


def read_times(frame: pd.DataFrame, name: str, *, frame_name: str, is_nullable: bool = False) -> pd.Series:
    """Return the column as naive UTC datetime64[us]; raise `FrameError` where it isn't one, or is NaT but must not be.

    An empty column of any kind is read as an empty one of times.
    """
    column = frame[name]
    if len(column) and not isinstance(column.dtype, pd.DatetimeTZDtype) and column.dtype.kind != "M":
        if not (is_nullable and column.isna().all()):
            raise FrameError(
                f"`{frame_name}.{name}` is {column.dtype}, not a time; its first value is {column.iloc[0]!r}.",
                cure=f"Convert it: pd.to_datetime({frame_name}[{name!r}]).",
            )
        column = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    if column.dtype.kind != "M" and not isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.astype("datetime64[us]")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if not is_nullable and column.isna().any():
        place = int(np.flatnonzero(column.isna())[0])
        raise FrameError(
            f"`{frame_name}.{name}` has no time in {int(column.isna().sum())} rows, first in row {place}.",
            cure="Drop the rows without a time, or find out when they were.",
        )
    return column.astype("datetime64[us]")


def read_moment(as_of: object) -> pd.Timestamp:
    """Return ``as_of`` as a naive UTC Timestamp; raise `FrameError` where it is none."""
    try:
        moment = pd.Timestamp(as_of)
    except (TypeError, ValueError) as error:
        raise FrameError(f"`as_of` is {as_of!r}, not a time.", cure="Give a datetime or a pd.Timestamp.") from error
    if moment is pd.NaT:
        raise FrameError("`as_of` is NaT.", cure="Give the time at which the frame is to be judged.")
    return moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment


def to_days(times: pd.Series) -> Numbers:
    """Return naive UTC times as days since 1970, NaN for NaT."""
    micros = times.to_numpy().astype("datetime64[us]")
    days = micros.astype(np.int64) / 86_400_000_000
    return np.where(np.isnat(micros), np.nan, days)


def count_days(moment: pd.Timestamp) -> float:
    """Return the time as days since 1970."""
    return float((moment - EPOCH) / DAY)


def write_moment(days: float) -> str:
    """Return days since 1970 as an ISO time, to the second."""
    return str((EPOCH + pd.Timedelta(days=days)).floor("s").isoformat())


def read_numbers(frame: pd.DataFrame, name: str, *, frame_name: str) -> Numbers:
    """Return the column as float64, missing as NaN; raise `FrameError` where it holds no numbers."""
    try:
        values: Numbers = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise FrameError(
            f"`{frame_name}.{name}` is {frame[name].dtype}, not a number.", cure=f"Convert it: pd.to_numeric({name!r})."
        ) from error
    return np.where(np.isfinite(values), values, np.nan)


def number_keys(frame: pd.DataFrame, *, client: str = "client_id") -> Keys:
    """Return the numbers of tenants and clients by row; two tenants never share a client."""
    size = len(frame)
    if "tenant_id" in frame.columns:
        tenant_codes, tenants = _factorize(frame["tenant_id"], is_missing_one=True)
    else:
        tenant_codes, tenants = np.zeros(size, dtype=np.int64), pd.Index([NO_TENANT])
    if client not in frame.columns:
        return Keys(np.full(size, -1, dtype=np.int64), tenant_codes, tenants)
    clients, names = _factorize(frame[client], is_missing_one=False)
    if len(tenants) > 1:
        pairs = np.where(clients >= 0, tenant_codes * max(len(names), 1) + clients, -1)
        known, codes = np.unique(pairs, return_inverse=True)
        clients = codes.astype(np.int64) - int(len(known) > 0 and known[0] == -1)
    return Keys(clients, tenant_codes, tenants)


def _factorize(column: pd.Series, *, is_missing_one: bool) -> tuple[Integers, pd.Index]:
    """Numbers in an order that does not hang on that of the rows, whatever the ids are."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    codes, names = pd.factorize(column, use_na_sentinel=not is_missing_one)
    # Mixed kinds cannot be compared with each other; their texts can.
    try:
        order = np.asarray(pd.Index(names).argsort())
    except TypeError:
        order = np.argsort(np.array([f"{type(name).__name__} {name}" for name in names], dtype=object), kind="stable")
    rank = np.empty(len(names) + 1, dtype=np.int64)
    rank[order] = np.arange(len(names))
    rank[len(names)] = -1
    return rank[codes], pd.Index(names)[order]
