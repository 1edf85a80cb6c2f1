"""Every booking of `dashboard.visits` as frames for scoring, with ids as small numbers.

What scoring calls a client is a person: a habit is somebody's, whatever they write from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg
from psycopg import sql

from activation.binary import read_rows, to_datetimes

OUTCOMES = ("upcoming", "arrived", "no_show", "cancelled", "moved", "unknown")
SCORING_OUTCOMES = {"arrived": "kept", "no_show": "missed", "cancelled": "cancelled", "moved": "moved"}
"""What scoring calls the outcomes that it learns from; of the others nothing is known."""

# Bookings of which no calendar knows the time cannot be scored.
_SCORABLE = sql.SQL("""
    visit_at between '1970-01-01' and '2200-01-01' and booked_at between '1970-01-01' and '2200-01-01'
""")
# Of both queries, so that the rows ahead of the first are the rows of the second.
_ORDER = sql.SQL("tenant_id, person_id, visit_at, booking_id")
# A price past 1e15, infinite or NaN is none; of one with five hundred decimals, which no double takes, four say all.
_READ_BOOKINGS = sql.SQL("""
select
    tenant_id,
    person_id,
    booked_at,
    visit_at,
    (array_position({outcomes}, outcome) - 1)::smallint as outcome,
    coalesce(released_at, visit_at) as outcome_at,
    case when abs(booking_amount) < 1e15 then round(booking_amount, 4) else 'NaN' end::float8 as amount
from dashboard.visits
where {scorable}
order by {order}
""").format(outcomes=sql.Literal(list(OUTCOMES)), scorable=_SCORABLE, order=_ORDER)
_READ_UPCOMING_IDS = sql.SQL("""
select booking_id
from dashboard.visits
where outcome = 'upcoming' and {scorable}
order by {order}
""").format(scorable=_SCORABLE, order=_ORDER)
_COLUMNS = {
    "tenant_id": "uuid", "person_id": "uuid", "booked_at": "timestamptz", "visit_at": "timestamptz",
    "outcome": "int2", "outcome_at": "timestamptz", "amount": "float8",
}  # fmt: skip
_MOMENTS = ("booked_at", "visit_at", "outcome_at")


@dataclass(frozen=True)
class Ledger:
    """The bookings of all salons.

    ``bookings``: one row per booking with `tenant_id` (a category of uuids as text, because models remember salons),
    `client_id` (int32 code of one person of one salon), `booking_id` (int32, the row's number), `booked_at`,
    `visit_at`, `outcome_at` (datetime64[us], naive UTC), `outcome` (scoring's words, None: not known), `amount`.
    ``visits``: the rows of it that are visits. ``tenant_ids``, ``client_ids``: the 16 bytes behind each code;
    ``tenant_of_client``: each client's salon. ``upcoming_ids``: the booking id behind each row that is ahead.
    """

    bookings: pd.DataFrame
    visits: pd.DataFrame
    tenant_ids: npt.NDArray[Any]
    client_ids: npt.NDArray[Any]
    tenant_of_client: npt.NDArray[np.int64]
    upcoming_ids: dict[int, str]


def read_ledger(connection: psycopg.Connection[Any]) -> Ledger:
    """Read `dashboard.visits`, both queries in the transaction's one snapshot."""
    rows = read_rows(connection, _READ_BOOKINGS, _COLUMNS)
    ids = [str(row[0]) for row in connection.execute(_READ_UPCOMING_IDS).fetchall()]
    tenant_codes, tenant_starts = _number_runs(rows["tenant_id"])
    client_codes, client_starts = _number_runs(rows["tenant_id"], rows["person_id"])
    codes = np.array(
        [list(SCORING_OUTCOMES).index(name) if name in SCORING_OUTCOMES else -1 for name in OUTCOMES], dtype=np.int8
    )
    salons = [to_text(raw) for raw in rows["tenant_id"][tenant_starts]]
    bookings = pd.DataFrame({
        "tenant_id": pd.Categorical.from_codes(tenant_codes, salons),
        "client_id": client_codes.astype(np.int32),
        "booking_id": np.arange(len(tenant_codes), dtype=np.int32),
        "booked_at": to_datetimes(rows["booked_at"]),
        "visit_at": to_datetimes(rows["visit_at"]),
        "outcome": pd.Categorical.from_codes(codes[rows["outcome"]], list(SCORING_OUTCOMES.values())),
        "outcome_at": to_datetimes(rows["outcome_at"]),
        "amount": rows["amount"].astype(np.float32),
    })  # fmt: skip
    is_visit = rows["outcome"] == OUTCOMES.index("arrived")
    is_upcoming = rows["outcome"] == OUTCOMES.index("upcoming")
    return Ledger(
        bookings=bookings,
        visits=bookings.loc[is_visit, ["tenant_id", "client_id", "visit_at", "amount"]],
        tenant_ids=rows["tenant_id"][tenant_starts],
        client_ids=rows["person_id"][client_starts],
        tenant_of_client=tenant_codes[client_starts],
        upcoming_ids=dict(zip(np.flatnonzero(is_upcoming).tolist(), ids, strict=True)),
    )


def find_scoring_moment(moments: Mapping[UUID, datetime], as_of: str) -> datetime:
    """Return the instant that models are fitted for: the first of the salons' moments, or without salons ``as_of``."""
    moment = datetime.fromisoformat(as_of)
    return min(moments.values(), default=moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))


def find_salon_moments(connection: psycopg.Connection[Any], as_of: str) -> dict[UUID, datetime]:
    """Return the instant that each salon is scored for, UTC: that of the build, or of a day its end where it lives."""
    moment = datetime.fromisoformat(as_of)
    rows = connection.execute(
        "select tenant_id, coalesce(%(instant)s::timestamptz, (%(day)s::date + 1)::timestamp at time zone timezone) "
        "from dashboard.tenant_settings",
        {"instant": moment if moment.tzinfo else None, "day": None if moment.tzinfo else as_of},
    )
    return {tenant_id: ends_at.astimezone(UTC) for tenant_id, ends_at in rows}


def move_to_one_moment(ledger: Ledger, moments: Mapping[UUID, datetime], moment: datetime) -> Ledger:
    """Return the ledger as if every salon were scored at ``moment``: its times are as far from it as from its own.

    So one run scores salons of all zones, each as of the end of its own day; only distances in time are looked at.
    """
    ahead = [moments.get(UUID(bytes=bytes(raw)), moment) - moment for raw in ledger.tenant_ids]
    if not any(ahead):
        return ledger
    shifts = pd.Series(ahead, dtype="timedelta64[us]").to_numpy()

    def move(rows: pd.DataFrame) -> pd.DataFrame:
        of_rows = shifts[rows["tenant_id"].cat.codes.to_numpy()]
        return rows.assign(**{name: rows[name] - of_rows for name in _MOMENTS if name in rows})

    return replace(ledger, bookings=move(ledger.bookings), visits=move(ledger.visits))


def to_text(raw: npt.NDArray[Any]) -> str:
    """Return sixteen bytes as a uuid is written."""
    return str(UUID(bytes=bytes(raw)))


def _number_runs(*keys: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Number runs of equal rows from 0 up; return each row's number and each run's first row."""
    count = len(keys[0])
    if not count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    is_new = np.zeros(count, dtype=bool)
    is_new[0] = True
    for key in keys:
        halves = np.frombuffer(key.tobytes(), dtype="=u8").reshape(count, 2)
        is_new[1:] |= (halves[1:] != halves[:-1]).any(axis=1)
    return np.cumsum(is_new) - 1, np.flatnonzero(is_new)
