"""A build comes after the bots where the server is on this machine."""

from __future__ import annotations

import time

import psutil
import psycopg
import pytest

from agentp import priority
from agentp.priority import NICENESS, yield_to_others
from agentp.project import run_dbt
from tests.support.marts import Workshop


def find_process(connection: psycopg.Connection[tuple[object, ...]]) -> psutil.Process:
    return psutil.Process(connection.info.backend_pid)


def test_the_servers_processes_that_serve_us_yield_and_no_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(priority, "INTERVAL_SECONDS", 0.02)
    with psycopg.connect(database_url) as connection:
        served = find_process(connection)
        [others] = [p for p in psutil.Process(served.ppid()).children() if "checkpointer" in " ".join(p.cmdline())]
        before = others.nice()
        with yield_to_others(database_url):
            deadline = time.monotonic() + 20
            while served.nice() < NICENESS and time.monotonic() < deadline:
                time.sleep(0.01)
        assert served.nice() == NICENESS
        assert others.nice() == before


def test_a_server_elsewhere_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "find_backends", lambda port: pytest.fail("looked for processes"))
    monkeypatch.setattr(priority, "INTERVAL_SECONDS", 0.001)
    with yield_to_others("postgresql://bot@db.example.org/agentp"):
        time.sleep(0.05)


def test_checks_and_dbt_yield(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(priority, "INTERVAL_SECONDS", 0.01)

    def look(port: int) -> list[psutil.Process]:
        looked.append(port)
        return []

    monkeypatch.setattr(priority, "find_backends", look)
    workshop.check()
    assert looked
    looked.clear()
    run_dbt(workshop.settings, workshop.url, "parse")
    assert looked
