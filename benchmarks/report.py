"""The table of what was measured, and the ratios that were aimed at."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from benchmarks.building import Timing
from benchmarks.checking import CheckTiming


@dataclass(frozen=True)
class Row:
    """One measured step: seconds in all, those of its statements, and those of its floor."""

    step: str
    size: int
    seconds: float
    sql: float | None
    floor: float | None


@dataclass(frozen=True)
class Builds:
    """The builds of one size that are compared with each other."""

    full: Timing
    one_day: Timing
    nothing: Timing


@dataclass
class Report:
    """What was measured so far."""

    rows: list[Row] = field(default_factory=list)
    builds: dict[int, Builds] = field(default_factory=dict)
    long: dict[str, Timing] = field(default_factory=dict)
    scans: dict[str, CheckTiming] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)

    def add(
        self, step: str, size: int, seconds: float, *, sql: float | None = None, floor: float | None = None
    ) -> None:
        """Add a measured step."""
        self.rows.append(Row(step, size, seconds, sql, floor))

    def warn(self, warning: str) -> None:
        """Add what a reader must know; the same one counts once."""
        self.warnings[warning] = None

    def keep_builds(self, size: int, *, full: Timing, one_day: Timing, nothing: Timing) -> None:
        """Keep a size's builds for the summary."""
        self.builds[size] = Builds(full, one_day, nothing)

    def keep_long(self, clients: str, one_day: Timing) -> None:
        """Keep the one-day build after a long history for the summary."""
        self.long[clients] = one_day

    def keep_scans(self, check: str, timing: CheckTiming) -> None:
        """Keep how often a check read the raw tables for the summary."""
        self.scans[check] = timing

    def show(self, console: Console) -> None:
        """Print the table, the ratios and the warnings."""
        table = Table(title="Seconds of the steps, of their SQL alone and of their floors; ratios to the floor")
        table.add_column("step")
        for heading in ("messages", "seconds", "SQL", "floor", "ratio", "SQL ratio"):
            table.add_column(heading, justify="right")
        for row in self.rows:
            table.add_row(
                row.step,
                f"{row.size:,}",
                f"{row.seconds:.2f}",
                _format(row.sql),
                _format(row.floor),
                _divide(row.seconds, row.floor),
                _divide(row.sql, row.floor),
            )
        console.print(table)
        for line in self.summarize():
            console.print(line, highlight=False, soft_wrap=True)
        for warning in self.warnings:
            console.print(f"[yellow]{warning}[/]", highlight=False, soft_wrap=True)

    def summarize(self) -> list[str]:
        """Return the ratios of builds to each other."""
        shares = [
            f"{_divide(builds.one_day.whole, builds.full.whole, percent=True)} at {size:,} messages "
            f"({_divide(builds.one_day.sql, builds.full.sql, percent=True)} of the SQL; "
            f"{builds.nothing.whole - builds.nothing.sql:.1f} s are Python and dbt, whatever there is to do)"
            for size, builds in self.builds.items()
        ]
        lines = ["Build after one day / first build: " + ", ".join(shares)]
        small, large = min(self.builds), max(self.builds)
        if large > small:
            lines.append(
                f"Build after one day at {large:,} / at {small:,} messages (as many times more of everything): "
                + _compare(self.builds[large].one_day, self.builds[small].one_day)
            )
        lines += [
            f"Build after one day, history ten times as long / as it is, {clients}: "
            + _compare(timing, self.builds[small].one_day)
            for clients, timing in self.long.items()
        ]
        lines += [
            f"{check}: looked at {timing.rows:,} rows"
            # What is found by index is read in any order, so that blocks say little about it.
            + (f" and read {timing.scans:.2f} times the raw tables' blocks" if "every row" in check else "")
            for check, timing in self.scans.items()
        ]
        return lines


def _format(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}"


def _divide(seconds: float | None, other: float | None, *, percent: bool = False) -> str:
    if seconds is None or not other:
        return ""
    return f"{seconds / other:.1%}" if percent else f"{seconds / other:.2f}"


def _compare(timing: Timing, other: Timing) -> str:
    return f"{_divide(timing.whole, other.whole)} ({_divide(timing.sql, other.sql)} of the SQL)"
