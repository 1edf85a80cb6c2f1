"""One trial: a fault in a copy of the checkout, the tests that should notice, and whether one did."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from tools.faults.checkout import copy_checkout
from tools.faults.fault import Fault

Outcome = Literal["caught", "missed", "error"]
PASSED, FAILED = 0, 1
"""Pytest's exit codes; all others mean that it did not get as far as an answer."""
ATTEMPTS = 3
"""How often tests are run whose failure does not come again."""
PATIENCE_SECONDS = 60.0
"""How long tests that took too long may take to end, so that they stop their servers."""
STOPPED = Event()
"""Set by who wants no more answers: tests at work are ended."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a fault: ``detail`` is the first test that failed, or why there is no answer."""

    id: str
    digest: str
    outcome: Outcome
    seconds: float
    detail: str


def try_fault(repo: Path, fault: Fault, *, limit_seconds: float) -> Result:
    """Plant the fault into a copy of the checkout and run its tests there, up to the first that fails."""
    started = time.monotonic()

    def close(outcome: Outcome, detail: str) -> Result:
        seconds = round(time.monotonic() - started, 1)
        return Result(id=fault.id, digest=fault.digest, outcome=outcome, seconds=seconds, detail=detail)

    with copy_checkout(repo) as copy:
        obstacle = fault.plant(copy)
        if obstacle is not None:
            return close("error", f"not planted: {obstacle}")
        for _ in range(ATTEMPTS):
            code, output = run_tests(copy, fault.tests, keyword=fault.keyword, limit_seconds=limit_seconds)
            if code != FAILED or _is_repeated(copy, output, limit_seconds=limit_seconds):
                break
        else:
            return close("error", f"fails now and then: {describe_failure(output)}")
    if code is None:
        return close("error", f"the tests had not ended after {limit_seconds / 60:g} minutes")
    if code == PASSED:
        return close("missed", "")
    if code == FAILED:
        return close("caught", describe_failure(output))
    lines = [line for line in output.splitlines() if line.strip()] or ["no output"]
    return close("error", f"pytest returned {code}: {lines[-1].strip()}")


def run_tests(checkout: Path, tests: tuple[str, ...], *, keyword: str, limit_seconds: float) -> tuple[int | None, str]:
    """Run tests of a checkout with its own code; return pytest's exit code (None where they were ended) and output."""
    # A folder of its own for what tests write: runs that share one clear away each other's.
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"--basetemp={checkout.parent / 'temp'}", *tests, *(["-k", keyword] if keyword else [])]
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    environment["PYTHONPATH"] = str(checkout)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    # A file, not a pipe: servers that tests start inherit it, and would keep a pipe open.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        code: int | None = None
        deadline = time.monotonic() + limit_seconds
        while code is None and time.monotonic() < deadline and not STOPPED.is_set():
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=1)
        _end(process)
        output.seek(0)
        return code, output.read()


def describe_failure(output: str) -> str:
    """Return the first test that failed, as pytest's summary names it, and what it said first."""
    said = re.search(r"^E +(\S.*)$", output, re.MULTILINE)
    return f"{_find_failed(output) or 'a test failed'}{': ' + said[1] if said else ''}"[:300]


def _find_failed(output: str) -> str | None:
    found = re.search(r"^(?:FAILED|ERROR) (tests/.*?)(?: - .*)?$", output, re.MULTILINE)
    return found[1] if found else None


def _is_repeated(checkout: Path, output: str, *, limit_seconds: float) -> bool:
    """Whether the failure comes of the fault: a claim that does not hold, or else a test that fails once more.

    What tests stumble over besides (a full disk, a server that did not start) is over the next time.
    """
    failed = _find_failed(output)
    if failed is None or re.search(r"^E +(?:AssertionError|assert |Failed: DID NOT)", output, re.MULTILINE):
        return True
    return run_tests(checkout, (failed,), keyword="", limit_seconds=limit_seconds)[0] == FAILED


def _end(process: subprocess.Popen[bytes]) -> None:
    """End tests that are still at work: first as Ctrl-C does, so that they stop what they started."""
    if process.poll() is not None:
        return
    # Once more where the first one came before Python listened.
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=PATIENCE_SECONDS / 2)
            return
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
