"""The days by which daily marts are built anew (issue 5, "Backfill")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import dagster as dg

from agentp.errors import SetupError
from agentp.settings import Settings
from orchestration.tags import FIRST_PARTITION, LAST_PARTITION, ONLY_CHANGES, PARTITION

CHUNK_DAYS = 31
"""Days that one run of a backfill builds anew: a month, so that years go in steps that can be taken up again."""


@dataclass(frozen=True)
class Days:
    """Local days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SetupError(
                f"The days end on {self.last} before they begin on {self.first}.", cure="Name the earlier day first."
            )

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    def cut(self, size: int) -> list[Days]:
        """Return the days in chunks of ``size`` days, in order; the last may be shorter."""
        chunks = []
        first = self.first
        while first <= self.last:
            chunks.append(Days(first, min(first + timedelta(days=size - 1), self.last)))
            first += timedelta(days=size)
        return chunks


def find_days(tags: Mapping[str, str]) -> Days | None:
    """Return the days that a run with these tags is to compute anew; none where it looks at what changed."""
    if tags.get(ONLY_CHANGES) == "true":
        return None
    first = tags.get(FIRST_PARTITION) or tags.get(PARTITION)
    last = tags.get(LAST_PARTITION) or tags.get(PARTITION)
    return Days(date.fromisoformat(first), date.fromisoformat(last)) if first and last else None


def define_days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Return the days from the first that may be built anew to the last that is over where the schedule lives."""
    return dg.DailyPartitionsDefinition(
        start_date=settings.first_day.isoformat(), timezone=find_schedule_timezone(settings)
    )


def find_schedule_timezone(settings: Settings) -> str:
    """Return the zone in whose night the daily run starts."""
    return settings.schedule_timezone or settings.default_timezone
