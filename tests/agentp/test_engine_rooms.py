"""Engines name no table, column or word of one source system: what is of one stands in its folder in systems/."""

from __future__ import annotations

import re

import pytest

from agentp.settings import PROJECT_ROOT

OF_ONE_SYSTEM = re.compile(r"_v2\b|agent_p|\bsalons?\b", re.IGNORECASE)
ROOMS = ("sources", "expectations", "dbt_project/macros/engine")
"""The engines that know none so far."""


@pytest.mark.parametrize("room", ROOMS)
def test_an_engine_names_nothing_of_one_system(room: str) -> None:
    files = [path for path in sorted((PROJECT_ROOT / room).rglob("*")) if path.suffix in (".py", ".sql")]
    found = [
        f"{path.relative_to(PROJECT_ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if OF_ONE_SYSTEM.search(line)
    ]
    assert files
    assert found == []
