"""No password stands on a command line, where everybody on the machine may read it (issue 7, "The connection").

That of a run is looked for in `test_commands.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.server import remove_server
from agentp.settings import PROJECT_ROOT
from tests.support.marts import Workshop

LONGEST_SECONDS = 240


def watch(
    arguments: list[str], settings: Mapping[str, str], *, until: Callable[[set[str]], bool] = lambda seen: False
) -> set[str]:
    """Run the command until it, or ``until``, says so; return the command lines of it and all it started."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENTP_")}
    seen: set[str] = set()
    with subprocess.Popen(
        [sys.executable, "-m", "agentp", *arguments], env={**kept, **settings}, cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + LONGEST_SECONDS
        while process.poll() is None and not until(seen) and time.monotonic() < deadline:
            try:
                family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            except psutil.NoSuchProcess:
                break
            for member in family:
                try:
                    seen.add(" ".join(member.cmdline()))
                except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                    continue
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
    return seen


@pytest.fixture
def salon(workshop: Workshop) -> Workshop:
    """A salon with one dialogue."""
    workshop.add_dialogue()
    return workshop


def test_no_process_of_the_scheduler_has_the_password_on_its_command_line(salon: Workshop, home: Path) -> None:
    settings = {"AGENTP_DATABASE_URL": salon.url, "AGENTP_HOME": str(home)}
    seen = watch(
        ["dev", "--port", "34571"], settings,
        until=lambda lines: any("daemon" in line for line in lines) and any("webserver" in line for line in lines),
    )  # fmt: skip
    assert any("dagster" in line and "grpc" in line for line in seen)
    password = str(conninfo_to_dict(salon.url).get("password") or "no password")
    assert not [line for line in seen if password in line]


@pytest.mark.server
def test_no_process_that_starts_the_server_has_its_password_on_its_command_line(tmp_path: Path) -> None:
    try:
        seen = watch(["up"], {"AGENTP_HOME": str(tmp_path / "home"), "AGENTP_PORT": "54611"})
        assert any("initdb" in line for line in seen)
        password = (tmp_path / "home" / "password").read_text(encoding="ascii").strip()
        assert not [line for line in seen if password in line]
    finally:
        remove_server(home=tmp_path / "home")
