"""Whom an edition is made for, and what it therefore leaves out (REQUIREMENTS D4, E3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from agentp.classification import PERSONAL, read_classes
from reports.frames.columns import add_columns

CODE_LENGTH = 8
"""Characters of a client's id that stand for a name where names are not shown; enough to find a row again."""


class Audience(StrEnum):
    """Owners see their clients; analysts see every figure, and nobody's name, phone or words."""

    OWNER = "owner"
    ANALYST = "analyst"


HIDDEN = {Audience.OWNER: frozenset({"secret"}), Audience.ANALYST: PERSONAL | {"secret"}}
"""Classes of columns that an audience is not shown (the classes stand in the YAML of the marts)."""


@dataclass(frozen=True)
class Veil:
    """What is hidden from one audience."""

    audience: Audience

    @property
    def shows_people(self) -> bool:
        """Whether names, phones and what people wrote are shown."""
        return self.audience is Audience.OWNER

    def choose_columns(self, relation: str, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of the columns that may be read for this audience; the others never leave the database."""
        classes = read_classes()
        return tuple(column for column in columns if classes.get((relation, column)) not in HIDDEN[self.audience])

    def find_unnamed(self, relation: str, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of the columns that hold names of the staff that are hidden: pages show numbers instead."""
        classes = read_classes()
        hidden = "staff" in HIDDEN[self.audience]
        return tuple(column for column in columns if hidden and classes.get((relation, column)) == "staff")

    def name_clients(self, frame: pd.DataFrame, *, name: str = "client_name", key: str = "client_id") -> pd.DataFrame:
        """Give every row a name to show: the client's own, or none; where names are hidden, a code."""
        if self.shows_people:
            return add_columns(frame, **{name: [shown or None for shown in frame[name].tolist()]})
        return add_columns(frame, **{name: [make_code(client) for client in frame[key].tolist()]})


def make_code(client_id: object) -> str:
    """Return what stands for a client whose name is hidden."""
    return "" if client_id is None or client_id != client_id else f"#{str(client_id)[:CODE_LENGTH]}"
