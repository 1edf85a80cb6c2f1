"""The demo chain as a folder of table exports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from .chain import open_chain
from .exports import Export
from .simulation import DAYS, Simulation
from .zones import number_day

DEMO_LAST_DAY = date(2026, 10, 31)


@dataclass(frozen=True)
class DemoSummary:
    """What a folder holds.

    `tables` rows a table; `first_day` and `last_day` the local days of the talks; `exported_at` an instant
    that no recorded event is later than (bookings and wishes may lie ahead); `tenants` names in order of
    the file.
    """

    folder: Path
    tables: Mapping[str, int]
    first_day: date
    last_day: date
    exported_at: datetime
    tenants: tuple[str, ...]


def write_demo(
    folder: Path,
    *,
    sessions: int = 4000,
    seed: int = 7,
    last_day: date = DEMO_LAST_DAY,
    progress: Callable[[int], None] | None = None,
) -> DemoSummary:
    """Write `<table>.csv.gz` for a chain that held exactly `sessions` sessions in the year up to `last_day`.

    The same arguments write the same bytes. The shape is the data standard's (seed 01) and, for
    user_ltm_v2, seed 02's; the files hold the five discomforts of the standard's first table on purpose:

    1. the oldest 3,091 messages have no session_id, or 35 % of all messages where that is less
       (`archive`); about 8 % of the dialogues of that era were never archived (`desk`, `losses`);
    2. and 3. the wishes of that era are `pending` for ever, without processed_at (`rows.write_wish`);
    4. a few messages belong to sessions that only active_sessions_v2 knows (`losses.leave_open`);
    5. the sessions of that era are all `auto_closed`, booked or not (`archive`).

    `progress` is called once a simulated day with the number of sessions held so far.
    """
    if sessions < 1:
        raise ValueError(f"a chain needs at least one session, not {sessions}")
    salons = open_chain(sessions=sessions, seed=seed)
    with Export(folder) as export:
        Simulation(export, salons, sessions=sessions, seed=seed, last_day=number_day(last_day)).run(progress)
    return DemoSummary(
        folder=folder,
        tables={table: file.count for table, file in export.tables.items()},
        first_day=last_day - timedelta(days=DAYS - 1),
        last_day=last_day,
        exported_at=datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC) + timedelta(days=1),
        tenants=tuple(salon.profile.name for salon in salons),
    )
