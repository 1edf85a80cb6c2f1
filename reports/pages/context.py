"""What every page is built from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

import pandas as pd

from reports.audiences import Veil
from reports.blocks import Chart, Frames, Section, TableBlock
from reports.cells import is_missing
from reports.formats import Formats
from reports.tables import Column, Table
from reports.texts import Texts


@dataclass(frozen=True, kw_only=True)
class Context:
    """The frames of a salon or of the chain, and how to write for whom. ``last_day`` is the last final day."""

    frames: Frames
    veil: Veil
    texts: Texts
    formats: Formats
    last_day: date | None

    def name_client(self, name: str | None) -> str:
        """Return what a client is called, or that nobody knows."""
        return name or self.texts.get("site.nameless")

    @property
    def language(self) -> str:
        """``ru`` or ``en``."""
        return self.texts.language


def make_section(context: Context, key: str, *blocks: Any, **values: object) -> Section:
    """Return a section with the title and, where there are any, the lead and the method of its key."""
    texts = context.texts
    said = {
        part: texts.get(f"{key}.{part}", **values) for part in ("lead", "method") if f"{key}.{part}" in texts.entries
    }
    return Section(
        anchor=key.rsplit(".", 1)[-1].replace("_", "-"),
        title=texts.get(f"{key}.title"),
        **said,
        blocks=tuple(block for block in blocks if block is not None),
    )


def make_table(name: str, frame: pd.DataFrame, *columns: Column, **options: Any) -> TableBlock:
    """Return a table as a block."""
    return TableBlock(table=Table(name=name, frame=frame, columns=columns, **options))


def make_chart(
    context: Context, name: str, values: list[dict[str, Any]], *, table: TableBlock | None = None, **said: object
) -> Chart:
    """Return a chart with what it shows in words, for those who do not see it."""
    alternative = context.texts.get(f"alternative.{name}", **said)
    return Chart(name=name, values=values, alternative=alternative, table=table.table if table else None)


def to_number(value: Any) -> float | None:
    """A figure as a chart takes it."""
    number = None if is_missing(value) else float(value)
    return number if number is not None and isfinite(number) else None


def to_instant(day: date) -> str:
    """A day as a chart takes it: midnight by the reader's clock, so that no zone moves it to the day before."""
    return f"{day.isoformat()}T00:00:00"
