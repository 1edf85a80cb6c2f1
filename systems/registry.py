"""Which source systems are switched on (`AGENTP_SYSTEMS`), and where each declares itself."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import systems
from agentp.errors import SetupError
from agentp.settings import read_systems
from systems.system import System


def list_systems() -> tuple[System, ...]:
    """Return the systems that are on, in the order of the setting. Raises `SetupError` for a name that is none."""
    return tuple(map(find_system, read_systems()))


def get_main_system() -> System:
    """Return the first system that is on: what a bare name of a table or a mart means."""
    return list_systems()[0]


def find_raw_table(rule_id: str) -> str:
    """Return the table that a rule is about, by what its id begins with: `<prefix>.`, or `<system>.<prefix>.`."""
    main = get_main_system()
    prefixes = {table.prefix: table.name for table in main.tables} | {
        f"{system.name}.{table.prefix}": table.name for system in list_systems() for table in system.tables
    }
    parts = rule_id.split(".")
    return prefixes[parts[0]] if parts[0] in prefixes else prefixes[".".join(parts[:2])]


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
