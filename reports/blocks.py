"""What a page is made of; templates draw each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import pandas as pd

from reports.tables import Table

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure beside the period before. All texts are ready to be shown.

    ``tone`` says how the change is to be read: ``good``, ``bad`` or ``even`` (no change that can be told from chance,
    or one that is neither good nor bad).
    """

    title: str
    value: str
    detail: str
    change: str
    tone: str
    definition: str


@dataclass(frozen=True, kw_only=True)
class Period:
    """The cards of one length of time."""

    days: int
    title: str
    subtitle: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, kw_only=True)
class Cards:
    """Figures of several lengths of time, of which one is shown."""

    kind: ClassVar[str] = "cards"
    periods: tuple[Period, ...]
    chosen: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """One of the most urgent rows of something to do, with the phone and what dials it, where there is one."""

    text: str
    phone: str = ""
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something to do, with the number that it hangs on, and the page where it is done.

    Where ``title`` is a sentence with its figures in it, ``number`` is empty.
    """

    number: str
    title: str
    detail: str
    link: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What to do next; ``empty`` is said where there is nothing."""

    kind: ClassVar[str] = "actions"
    actions: tuple[Action, ...]
    empty: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart of `reports.charts` by name, its data, what it shows in words, and the same figures as a table."""

    kind: ClassVar[str] = "chart"
    name: str
    values: list[dict[str, Any]]
    alternative: str
    table: Table | None = None


@dataclass(frozen=True, kw_only=True)
class TableBlock:
    """A table."""

    kind: ClassVar[str] = "table"
    table: Table


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence or two; ``tone`` is ``plain`` or ``warning``."""

    kind: ClassVar[str] = "note"
    text: str
    tone: str = "plain"


@dataclass(frozen=True, kw_only=True)
class Split:
    """Sections beside each other on a wide screen (seed 02, feature 1), below each other on a phone."""

    kind: ClassVar[str] = "split"
    sections: tuple[Section, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and what stands under it; ``method`` says how it is counted, to who asks."""

    anchor: str
    title: str
    lead: str = ""
    method: str = ""
    blocks: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: ``name`` is its file's name and the key of its texts."""

    name: str
    title: str
    lead: str
    sections: tuple[Section, ...]

    def list_tables(self) -> list[Table]:
        """Return its tables in their order, those behind charts among them."""
        return [table for section in self.sections for table in _list_tables(section)]


def _list_tables(section: Section) -> list[Table]:
    found: list[Table] = []
    for block in section.blocks:
        if isinstance(block, Split):
            for part in block.sections:
                found += _list_tables(part)
        table = block.table if isinstance(block, TableBlock | Chart) else None
        if table is not None:
            found.append(table)
    return found


@dataclass(frozen=True)
class Frames:
    """The marts of one salon (or of the chain), by name; times are local, as the salon's wall clock shows them."""

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    _made: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames[name]

    def derive(self, make: Callable[..., Made], *names: str, **values: Any) -> Made:
        """Return what a pure function makes of the marts named, computed once for all pages in all languages."""
        key = (make, names, *values.items())
        if key not in self._made:
            self._made[key] = make(*(self.frames[name] for name in names), **values)
        return self._made[key]  # type: ignore[no-any-return]
