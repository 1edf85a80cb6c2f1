"""What tests cost is counted with their children's costs, and who takes more than a share is told (docs/testing.md)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.costs import MARK, Account, find_excesses, name_folder, read_shares

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
ROOT = Path(__file__).resolve().parents[2]


def test_what_a_process_and_its_children_use_is_counted_once() -> None:
    account = Account(os.environ[MARK])
    before = account.read()
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}], check=True)"
    subprocess.run([sys.executable, "-c", child], check=True)
    assert 0.25 < account.read() - before < 3


def test_what_ran_while_nobody_waited_for_it_is_counted() -> None:
    account = Account(os.environ[MARK])
    before = account.read()
    with subprocess.Popen([sys.executable, "-c", f"{BUSY}\nprint(flush=True); input()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout
        process.stdout.readline()
        assert account.read() - before > 0.25
        process.communicate(b"\n")


def test_a_folder_that_takes_twice_its_share_is_told() -> None:
    shares = {"tests/marts": 50, "tests/reports": 50}
    assert find_excesses({"tests/marts": 60, "tests/reports": 55}, shares) == []
    [warning] = find_excesses({"tests/marts": 10, "tests/reports": 55, "tests/new": 400}, shares)
    assert "tests/new took 400 CPU seconds, 86% of all" in warning


def test_a_run_of_some_folders_tells_of_no_share() -> None:
    assert find_excesses({"tests/marts": 100}, {"tests/marts": 1, "tests/reports": 99}) == []


def test_every_folder_of_tests_has_its_share() -> None:
    folders = {name_folder(str(path.relative_to(ROOT))) for path in (ROOT / "tests").glob("*/test_*.py")}
    assert read_shares().keys() == folders - {"tests/integrations"}
