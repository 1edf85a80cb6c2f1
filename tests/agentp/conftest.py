"""The command line as its users meet it: arguments in, exit code and text out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentp.cli import main
from agentp.server import remove_server

RunCommand = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> RunCommand:
    """Run `agentp ARGUMENTS` in this process, with settings of its own."""

    def run(*arguments: str, **settings: str) -> Answer:
        monkeypatch.setenv("AGENTP_HOME", str(home))
        monkeypatch.setenv("COLUMNS", "200")
        for name, value in settings.items():
            monkeypatch.setenv(f"AGENTP_{name.upper()}", value)
        monkeypatch.setattr(sys, "argv", ["agentp", *arguments])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def server_home(tmp_path: Path) -> Iterator[Path]:
    """A home for an embedded server of the test's own."""
    home = tmp_path / "home"
    yield home
    remove_server(home=home)
