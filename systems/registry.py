"""Which source systems are switched on (`AGENTP_SYSTEMS`), and where each declares itself."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from functools import cache
from importlib import import_module

import systems
from agentp.errors import SetupError
from agentp.settings import read_raw_schemas, read_systems
from systems.system import System, Table

RESERVED = (
    "access", "analysis", "build", "change_tracking", "intermediate", "live", "quality", "scoring", "staging",
)  # fmt: skip
"""Schemas that all systems share."""


def list_systems() -> tuple[System, ...]:
    """Return the systems that are on, in the order of the setting, with the raw schemas of the settings.

    Raises `SetupError` for a name that is none, and where two systems would write into, or build from, one schema.
    """
    return _arrange_systems(read_systems(), tuple(sorted(read_raw_schemas().items())))


@cache
def _arrange_systems(names: tuple[str, ...], schemas: tuple[tuple[str, str], ...]) -> tuple[System, ...]:
    wanted = dict(schemas)
    systems = [find_system(name) for name in names]
    for system in systems:
        if system.has_fixed_schema and wanted.get(system.name, system.raw_schema) != system.raw_schema:
            raise SetupError(
                f"AGENTP_RAW_SCHEMAS moves {system.name} to {wanted[system.name]}, and its migrations name "
                f"{system.raw_schema}.",
                cure=f"Leave it in {system.raw_schema}, and move the other system.",
            )
    systems = [replace(system, raw_schema=wanted.pop(system.name, system.raw_schema)) for system in systems]
    marts = {system.mart_schema: system.name for system in systems}
    taken: dict[str, str] = {}
    for system in systems:
        other = taken.setdefault(system.raw_schema, system.name)
        if other != system.name or system.raw_schema in (*marts, *RESERVED):
            what = f"{other}'s raw tables" if other != system.name else "what is built"
            raise SetupError(
                f"The raw tables of {system.name} are looked for in schema {system.raw_schema}, which holds {what}.",
                cure=f"Give them a schema of their own: AGENTP_RAW_SCHEMAS={system.name}=…",
            )
    return tuple(systems)


def has_step(name: str) -> bool:
    """Whether a system that is on has part in a step behind the marts (`System.steps`)."""
    return any(name in system.steps for system in list_systems())


def get_main_system() -> System:
    """Return the first system that is on: what a bare name of a table or a mart means."""
    return list_systems()[0]


def place_model(model: str) -> tuple[str, str]:
    """Return the schema and the name of what a published model is in the database."""
    if model.startswith("int_"):
        return "intermediate", model
    named = [system for system in list_systems() if system.prefix and model.startswith(system.prefix)]
    owner = (*named, *(system for system in list_systems() if not system.prefix), get_main_system())[0]
    return owner.mart_schema, model.removeprefix(owner.prefix)


def find_raw_table(rule_id: str) -> str:
    """Return the label of the table that a rule is about, by what its id begins with.

    That is `<prefix>.`, and behind it `<system>.` where the system's names have a prefix.
    """
    begins = {
        f"{system.name}.{table.prefix}." if system.prefix else f"{table.prefix}.": system.prefix + table.name
        for system in list_systems()
        for table in system.tables
    }
    return next(label for beginning, label in begins.items() if rule_id.startswith(beginning))


def list_labels() -> list[str]:
    """Return what raw tables are called in schemas that systems share: the system's prefix, the table's name."""
    return [system.prefix + table.name for system in list_systems() for table in system.tables]


def find_labelled(label: str) -> tuple[System, Table]:
    """Return the system and the table that a label names."""
    return next(
        (system, table) for system in list_systems() for table in system.tables if system.prefix + table.name == label
    )


@cache
def find_system(name: str) -> System:
    """Return a system by its name, or by its package where that lies elsewhere. Raises `SetupError` for another."""
    known = [found.name for found in pkgutil.iter_modules(systems.__path__) if found.ispkg]
    if name not in known and "." not in name:
        raise SetupError(
            f"AGENTP_SYSTEMS names {name}, and there is no such source system.",
            cure=f"Known are {', '.join(known)}; several are divided by commas.",
        )
    system = import_module(name if "." in name else f"systems.{name}").SYSTEM
    assert isinstance(system, System)
    return system
