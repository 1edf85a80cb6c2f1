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
from collections.abc import Collection, Mapping
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
    """What a process has used, and the number of its parent."""

    seconds: float
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
        alive: dict[Process, Used] = {}
        foreign: set[Process] = set()
        ours = {process.pid for process in self._known}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                process, used = _read_process(int(name))
                # A browser's processes hide their environment; a parent that is ours tells of them.
                is_known = process in self._known or used.parent in ours
                if is_known or (process not in self._foreign and self._is_ours(process.pid)):
                    alive[process] = used
                else:
                    foreign.add(process)
            except OSError:
                continue  # it ended meanwhile
        # Who waited for it has its seconds, or who waited for that one; where there is none of ours they are kept here.
        parents = {process.pid: used.parent for process, used in self._known.items()}
        living = {process.pid for process in alive}
        self._ended += sum(
            used.seconds
            for process, used in self._known.items()
            if process not in alive and not _is_waited_for(used.parent, parents, living)
        )
        self._known, self._foreign = alive, foreign
        return self._ended + sum(used.seconds for used in alive.values())

    def _is_ours(self, pid: int) -> bool:
        return pid == os.getpid() or self._mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def _is_waited_for(parent: int, parents: Mapping[int, int], living: Collection[int]) -> bool:
    """Whether a process of ours lives that the chain of parents leads to."""
    for _ in parents:
        if parent in living or parent not in parents:
            break
        parent = parents[parent]
    return parent in living


def _read_process(pid: int) -> tuple[Process, Used]:
    """Return a process, and its CPU seconds, those of children that it waited for included."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return Process(pid, int(fields[19])), Used(sum(map(int, fields[11:15])) / TICKS, int(fields[1]))


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
