"""CPU seconds of every test, with all processes that it made work: its server's, its browser's, those it ran.

Processes are known by a variable in their environment, which they hand down, also those that leave their parents (a
server that was started for all tests). Linux alone tells what is needed (`proc(5)`: utime, stime and those of children
that were waited for); elsewhere nothing is counted. A run prints a table by folder and warns where a folder takes twice
the share that docs/testing.md has for it.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

MARK = "PYTEST_COSTS_OF"
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `(tests/\w+)` \|[^|]*\|\s*(\d+) \|", re.MULTILINE)
NOTABLE_SECONDS = 20
TOP = 10


class Process(NamedTuple):
    """A process: its number, which others have after it, and the tick at which it began."""

    pid: int
    started: int


class Used(NamedTuple):
    """What a process has used, that of children that it waited for included and apart, and its parent's number."""

    seconds: float
    waited_for: float
    parent: int


class Account:
    """What the processes with one mark, and this one, have used so far."""

    def __init__(self, mark: str) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._known: dict[Process, Used] = {}
        self._foreign: set[Process] = set()
        self._ended = 0.0

    def read(self) -> float:
        """Return the CPU seconds, user and system, since each process began."""
        alive = self._find_alive()
        parents = {process.pid: used.parent for process, used in self._known.items()}
        waiters = {process.pid: process for process in alive}
        ended: dict[Process | None, float] = defaultdict(float)
        for process, used in self._known.items():
            if process not in alive:
                ended[waiters.get(_find_living(used.parent, parents, waiters))] += used.seconds
        # Who waited for a process has its seconds among those of their children; what nobody has is kept here.
        for waiter, seconds in ended.items():
            grown = alive[waiter].waited_for - self._known[waiter].waited_for if waiter in self._known else 0.0
            self._ended += max(seconds - grown, 0.0)
        self._known = alive
        return self._ended + sum(used.seconds for used in alive.values())

    def _find_alive(self) -> dict[Process, Used]:
        """Return the processes that are ours: by their mark or, as a browser's hide theirs, by a parent that is."""
        found: dict[Process, Used] = {}
        for name in os.listdir("/proc"):
            with suppress(OSError):  # it ended meanwhile
                if name.isdigit():
                    found.update([_read_process(int(name))])
        self._foreign &= found.keys()
        ours = {process: used for process, used in found.items() if process in self._known or self._is_ours(process)}
        added = ours
        while added:
            pids = {process.pid for process in ours}
            added = {p: used for p, used in found.items() if p not in ours and used.parent in pids}
            ours = {**ours, **added}
        self._foreign |= found.keys() - ours.keys()
        return ours

    def _is_ours(self, process: Process) -> bool:
        if process in self._foreign:
            return False
        with suppress(OSError):
            marks = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
            return process.pid == os.getpid() or self._mark in marks
        return False


def _find_living(parent: int, parents: Mapping[int, int], living: Container[int]) -> int:
    """Return the first that lives of a process's parent, that one's parent and so on; 0 where there is none."""
    for _ in parents:
        if parent in living or parent not in parents:
            break
        parent = parents[parent]
    return parent if parent in living else 0


def _read_process(pid: int) -> tuple[Process, Used]:
    """Return a process, and its CPU seconds, those of children that it waited for included and apart."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    own, waited_for = (sum(map(int, fields[first : first + 2])) / TICKS for first in (11, 13))
    return Process(pid, int(fields[19])), Used(own + waited_for, waited_for, int(fields[1]))


class Costs:
    """The plugin: in each worker it counts, in the process that deals out the tests it adds up and tells."""

    def __init__(self) -> None:
        self.setups: dict[str, float] = defaultdict(float)
        self.calls: dict[str, float] = defaultdict(float)
        self.tests: Counter[str] = Counter()
        self.elsewhere = 0.0
        os.environ[MARK] = str(os.getpid())
        self._account = Account(os.environ[MARK]) if os.path.exists("/proc/self/stat") else None
        self._last = 0.0

    def _lap(self) -> float:
        now = self._account.read() if self._account else 0.0
        lap, self._last = now - self._last, now
        return lap

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """What it took to import and collect."""
        self.elsewhere += self._lap()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test, where it ran."""
        if hasattr(report, "node"):
            return  # the controller is told of a worker's test
        (self.setups if report.when == "setup" else self.calls)[report.nodeid] += self._lap()
        self.tests[name_folder(report.nodeid)] += report.when == "call"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand what was counted to the controller."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["costs"] = [dict(self.setups), dict(self.calls), dict(self.tests), self.elsewhere + self._lap()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker counted."""
        setups, calls, tests, elsewhere = node.workeroutput["costs"]
        self.setups.update(setups)
        self.calls.update(calls)
        self.tests.update(tests)
        self.elsewhere += elsewhere

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table, the dearest tests, and who took twice its share."""
        for line in self.describe():
            terminalreporter.write_line(line)

    def describe(self) -> list[str]:
        """Return the table as lines."""
        folders: dict[str, float] = defaultdict(float)
        for counted in (self.setups, self.calls):
            for nodeid, seconds in counted.items():
                folders[name_folder(nodeid)] += seconds
        whole = sum(folders.values()) + self.elsewhere
        lines = [f"{'CPU seconds':>12}  {'tests':>6}  folder"]
        lines += [f"{folders[name]:12.1f}  {self.tests[name]:6}  {name}" for name in _rank(folders)]
        lines += [f"{self.elsewhere:12.1f}  {'':6}  imports and collection"]
        lines += [f"{whole:12.1f}  {self.tests.total():6}  in all", "dearest tests:"]
        lines += [f"{self.calls[nodeid]:12.1f}  {nodeid}" for nodeid in _rank(self.calls)[:TOP]]
        return lines + find_excesses(folders, read_shares())


def _rank(counted: Mapping[str, float]) -> list[str]:
    return sorted(counted, key=lambda name: -counted[name])


def name_folder(nodeid: str) -> str:
    """Return the folder of tests that a test stands in: tests/marts."""
    return "/".join(nodeid.split("::")[0].split("/")[:2])


def read_shares() -> dict[str, int]:
    """Return the CPU seconds that docs/testing.md has for each folder."""
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    return {name: int(seconds) for name, seconds in ROW.findall(text)}


def find_excesses(folders: Mapping[str, float], shares: Mapping[str, int]) -> list[str]:
    """Return a warning for each folder that took twice its share of a run of all of them; nothing of other runs."""
    if not shares or folders.keys() < shares.keys():
        return []
    whole, all_shares = sum(folders.values()), sum(shares.values())
    return [
        f"WARNING: {name} took {seconds:.0f} CPU seconds, {seconds / whole:.0%} of all; "
        f"docs/testing.md has {shares.get(name, 0) / all_shares:.0%} for it."
        for name, seconds in folders.items()
        if seconds > NOTABLE_SECONDS and seconds / whole > 2 * shares.get(name, 0) / all_shares
    ]
