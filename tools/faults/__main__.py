"""`python -m tools.faults`: plant the faults one at a time and say which of them the tests did not notice."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agentp.errors import SetupError
from agentp.settings import PROJECT_ROOT
from tools.faults.checkout import copy_checkout, identify
from tools.faults.fault import EVERYTHING, Fault, choose_faults, read_faults
from tools.faults.results import Results
from tools.faults.trial import PASSED, STOPPED, Result, describe_failure, run_tests, try_fault


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the options say; return 0 where every fault was caught, 1 where one was not, 2 where nothing began."""
    options = read_options(arguments)
    console = Console()
    try:
        faults = choose_faults(read_faults(), only=options.only, room=options.room)
        if options.tests == "all":
            faults = [replace(fault, tests=EVERYTHING, keyword="") for fault in faults]
        if options.list:
            show_faults(console, faults)
            return 0
        if options.unplanted:
            return try_nothing(console, options.repo, faults, limit_seconds=options.minutes * 60)
        results = Results(options.results, checkout=identify(options.repo, without=options.results))
        found = try_faults(
            console, options.repo, faults, results, jobs=options.jobs, limit_seconds=options.minutes * 60
        )  # fmt: skip
    except SetupError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped; with --results the next run goes on from here.", file=sys.stderr)
        return 1
    show_results(console, faults, found)
    return 0 if all(result.outcome == "caught" for result in found.values()) else 1


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.faults",
        description="Plant faults one at a time into a copy of the checkout, and run the tests that should notice.",
    )
    add = parser.add_argument
    add("--only", nargs="+", default=[], metavar="ID", help="these faults alone")
    add("--room", help="the faults of one room (a file of tools/faults/catalogue)")
    add("--tests", choices=("named", "all"), default="named", help="run what each fault names (named), or all tests")
    add("--jobs", type=int, default=1, help="faults tried at a time (1)")
    add("--minutes", type=float, default=30, help="how long the tests of one fault may take (30)")
    add("--results", type=Path, metavar="FILE.json", help="keep results there, and go on where they stop")
    add("--repo", type=Path, default=PROJECT_ROOT, help="another checkout, to plant into and whose tests to run")
    add("--list", action="store_true", help="name the faults and do no more")
    add("--unplanted", action="store_true", help="run the tests once without a fault: they have to pass")
    options = parser.parse_args(arguments)
    options.repo = options.repo.resolve()
    return options


def try_faults(
    console: Console, repo: Path, faults: list[Fault], results: Results, *, jobs: int, limit_seconds: float
) -> dict[str, Result]:
    """Try each fault that has no result yet, say what became of it as it ends, and return all results by id."""
    found = {fault.id: result for fault in faults if (result := results.find(fault)) is not None}
    if found:
        console.print(f"{len(found)} were tried before.", highlight=False)
    left = [fault for fault in faults if fault.id not in found]
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        trials = [pool.submit(try_fault, repo, fault, limit_seconds=limit_seconds) for fault in left]
        try:
            for trial in as_completed(trials):
                result = trial.result()
                results.keep(result)
                found[result.id] = result
                place = f"{len(found):>3} of {len(faults)}"
                console.print(
                    f"{place}  {result.outcome:<7}{result.seconds:>7,.0f} s  {result.id}  {result.detail}",
                    highlight=False, markup=False, soft_wrap=True,
                )  # fmt: skip
        except BaseException:
            STOPPED.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def try_nothing(console: Console, repo: Path, faults: list[Fault], *, limit_seconds: float) -> int:
    """Run the tests of all these faults with none planted; return 1 where one fails: it would "catch" everything."""
    by_keyword: dict[str, dict[str, None]] = {}
    for fault in faults:
        by_keyword.setdefault(fault.keyword, {}).update(dict.fromkeys(fault.tests))
    with copy_checkout(repo) as copy:
        for keyword, tests in by_keyword.items():
            limit = limit_seconds * len(tests)
            code, output = run_tests(copy, tuple(tests), keyword=keyword, limit_seconds=limit)
            if code != PASSED:
                console.print(f"Without any fault: {describe_failure(output)}", highlight=False, markup=False)
                return 1
    console.print("Without any fault the tests pass.")
    return 0


def show_faults(console: Console, faults: list[Fault]) -> None:
    """Print what there is to plant."""
    for fault in faults:
        console.print(f"{fault.room}: {fault.id}", style="bold", highlight=False)
        console.print(f"  {fault.why}\n  {fault.file}; {', '.join(fault.tests)}", highlight=False, markup=False)
    console.print(f"{len(faults)} faults")


def show_results(console: Console, faults: list[Fault], found: dict[str, Result]) -> None:
    """Print how many of each room were caught, and name those that were not."""
    table = Table(title="Planted faults", box=None, pad_edge=False)
    for title in ("room", "faults", "caught", "missed", "error", "seconds"):
        table.add_column(title, justify="left" if title == "room" else "right")
    for room in [*dict.fromkeys(fault.room for fault in faults), "all"]:
        chosen = [found[fault.id] for fault in faults if room in (fault.room, "all")]
        outcomes: list[str] = [result.outcome for result in chosen]
        counts = [str(outcomes.count(outcome)) for outcome in ("caught", "missed", "error")]
        table.add_row(room, str(len(chosen)), *counts, f"{sum(result.seconds for result in chosen):,.0f}")
    console.print(table)
    whys = {fault.id: f"{fault.file}: {fault.why}" for fault in faults}
    for result in found.values():
        if result.outcome == "missed":
            console.print(f"missed: {result.id} ({whys[result.id]})", highlight=False, markup=False, soft_wrap=True)
        if result.outcome == "error":
            console.print(f"error: {result.id}: {result.detail}", highlight=False, markup=False, soft_wrap=True)
    caught = sum(result.outcome == "caught" for result in found.values())
    console.print(f"caught {caught} of {len(faults)}", style="bold", highlight=False)


if __name__ == "__main__":
    # Whoever ends the run ends the tests that it started, and they their servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
