"""What the marts hold of people: the class of each column, as the YAML of the marts declares it (REQUIREMENTS D4).

A column of a mart that holds, or could hold, what belongs to somebody says so beside its description:
``config: {meta: {class: pii}}``. The classes:

* ``pii``: who a client is and how to reach them, such as names, phones, chats. For the owner of the salon alone.
* ``text``: what people wrote, or what was noted of it in free words. May hold anything, so for the owner alone.
* ``staff``: what a member of the staff is called. A name like any other, so for the owner alone; analysts see numbers.
* ``salon``: what a salon is called. A business is no person: for whoever reads the mart, or its figures are nobody's.
* ``secret``: what opens a door. For no audience; no mart should have one.
* ``plain``: looks like one of these by its name or type, and was found to be none.

A column without a class is plain. tests/agentp/test_classification.py keeps a column that looks like a person's from
having none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from agentp.errors import SetupError
from agentp.settings import DBT_PROJECT
from systems.registry import list_systems

CLASSES = ("pii", "text", "staff", "salon", "secret", "plain")
PERSONAL = frozenset({"pii", "text", "staff"})
"""Classes that tell of somebody: no analyst reads such a column (access/, reports/audiences.py; the macro `secure`)."""

# Six times as quick; a PyYAML that was built without libyaml has only the other.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class DeclaredColumn:
    """A column of a mart: ``data_type`` as Postgres names it; ``sort`` is its class, None for one without."""

    name: str
    data_type: str
    sort: str | None


@dataclass(frozen=True, kw_only=True)
class DeclaredMart:
    """A mart as its YAML declares it: ``name`` of its model, ``relation`` in its schema; a live view has no ``key``."""

    name: str
    schema: str
    relation: str
    columns: tuple[DeclaredColumn, ...]
    key: tuple[str, ...]


def read_classes() -> Mapping[tuple[str, str], str]:
    """Return the class of every column that has one, by (mart, column); the mart without its schema."""
    return {
        (mart.name, column.name): column.sort
        for mart in read_marts().values()
        for column in mart.columns
        if column.sort is not None
    }


def read_marts() -> Mapping[str, DeclaredMart]:
    """Return what the YAML beside the models of the systems that are on declares, by the models' names; without dbt."""
    found: dict[str, DeclaredMart] = {}
    for system in list_systems():
        folder = DBT_PROJECT / "models" / system.name / "marts"
        found |= read_declared(folder, schema=system.mart_schema, prefix=system.prefix)
    return found


@cache
def read_declared(folder: Path, *, schema: str, prefix: str = "") -> Mapping[str, DeclaredMart]:
    """Return the marts of one folder, by the models' names, which ``prefix`` tells apart from their relations'."""
    found: dict[str, DeclaredMart] = {}
    for path in sorted(folder.rglob("*.yml")):
        if path.name.endswith("_unit_tests.yml"):
            continue
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # a safe loader either way
        for model in document.get("models") or []:
            found[model["name"]] = _read_mart(model, schema, prefix)
    return found


def _read_mart(model: Mapping[str, Any], schema: str, prefix: str) -> DeclaredMart:
    keys = [entry["columns"] for entry in model.get("constraints") or [] if entry["type"] == "primary_key"]
    return DeclaredMart(
        name=model["name"],
        schema=schema,
        relation=model["name"].removeprefix(prefix),
        columns=tuple(_read_column(model["name"], column) for column in model.get("columns") or []),
        key=tuple(keys[0]) if keys else (),
    )


def _read_column(mart: str, column: Mapping[str, Any]) -> DeclaredColumn:
    sort = ((column.get("config") or {}).get("meta") or {}).get("class")
    # A misspelt class would hide nothing, and a class beside `config` is one that dbt and this file do not see.
    if (sort is not None and sort not in CLASSES) or "class" in (column.get("meta") or {}):
        raise SetupError(
            f"The class of {mart}.{column['name']} cannot be read: {sort or column['meta']}.",
            cure=f"Write `config: {{meta: {{class: …}}}}` with one of {', '.join(CLASSES)}.",
        )
    return DeclaredColumn(name=column["name"], data_type=str(column.get("data_type", "text")), sort=sort)
