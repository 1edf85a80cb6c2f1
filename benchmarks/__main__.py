"""What the steps cost beside hand-written SQL, and whether a day's build grows with the history.

Generation, load, the check of the data standard, full build, and check and build after one more day of data, at
every size, each beside the cheapest work with the same outcome (its floor). Seconds belong to one machine and one
hour; read the ratios. Aims: the full build takes at most 2 times its floor, the build after one day at most 5 % of
the full build, and no longer when the history is ten times as long; a check of everything reads the raw tables at
most three times.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from agentp.server import remove_server, start_server
from benchmarks.building import Timing, time_build
from benchmarks.checking import CheckTiming, time_check, time_scan
from benchmarks.days import hold_back_day, lengthen_history, let_day_arrive, settle
from benchmarks.exporting import LAST_DAY, make_database, time_copy, time_generation, time_load
from benchmarks.floor import build_floor, find_differences, find_uncovered, rebuild_floor
from benchmarks.report import Report

PORT = 54420
COPIES = 9
YESTERDAY = (LAST_DAY - timedelta(days=1)).isoformat()
TODAY = LAST_DAY.isoformat()


def main() -> None:
    """Measure everything that was asked for and print it."""
    options = read_options()
    sizes = sorted({int(size) for size in options.messages.split(",")})
    console = Console()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="agentp-benchmark-") as temporary:
        home = Path(temporary)
        home.chmod(0o755)
        url = options.url or start_server(home=home / "server", preferred_port=PORT).url
        try:
            for size in sizes:
                console.print(f"[dim]{size:,} messages …")
                measure_size(report, url, home, size)
            if not options.no_history:
                for same_clients in (False, True):
                    console.print(f"[dim]{sizes[0]:,} messages a year, {COPIES + 1} years …")
                    measure_long_history(report, url, home, sizes[0], same_clients=same_clients)
        finally:
            if not options.url:
                remove_server(home=home / "server")
    report.show(console)


def read_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", default="100000,1000000", help="sizes, separated by commas (%(default)s)")
    parser.add_argument("--no-history", action="store_true", help="leave the ten years of history out")
    parser.add_argument(
        "--url",
        default=os.environ.get("AGENTP_DATABASE_URL"),
        help="a server of your own: its login must be allowed to create databases (else one is started and removed)",
    )
    return parser.parse_args()


def measure_size(report: Report, url: str, home: Path, size: int) -> None:
    """Measure every step at one size."""
    folder = home / f"demo-{size}"
    seconds, floor = time_generation(folder, messages=size)
    report.add("generate the demo", size, seconds, floor=floor)
    with make_database(url, "agentp_benchmark") as database:
        seconds = time_load(database, folder)
        with make_database(url, "agentp_benchmark_floor") as other:
            report.add("load it", size, seconds, floor=time_copy(other, folder, loaded_url=database))
        held = hold_back_day(database, day=LAST_DAY)
        settle(database)
        scan = time_scan(database)
        add_check(report, "check, every row", size, time_check(database, is_full=True), floor=scan)
        first = time_build(database, home / "work", as_of=YESTERDAY)
        settle(database)
        floor = build_floor(database, as_of=YESTERDAY)
        check_floor(report, database)
        add_build(report, "build, first", size, first, floor=floor)
        settle(database)
        nothing = time_build(database, home / "work", as_of=YESTERDAY)
        add_build(report, "build, no change", size, nothing)
        let_day_arrive(database)
        add_check(report, f"check, one day ({held:,} messages)", size, time_check(database, is_full=False), floor=scan)
        one_day = time_build(database, home / "work", as_of=TODAY)
        floor_of_day = rebuild_floor(database, as_of=TODAY, held="held")
        check_floor(report, database)
        add_build(report, f"build, one day ({held:,} messages)", size, one_day, floor=floor_of_day)
        settle(database)
        full = time_build(database, home / "work", as_of=TODAY, full_refresh=True)
        add_build(report, "build, all anew", size, full, floor=floor)
    report.keep_builds(size, full=first, one_day=one_day, nothing=nothing)


def measure_long_history(report: Report, url: str, home: Path, size: int, *, same_clients: bool) -> None:
    """Measure the build after the same day when there are ten years before it."""
    with make_database(url, "agentp_benchmark") as database:
        time_load(database, home / f"demo-{size}")
        lengthen_history(database, years=COPIES, same_clients=same_clients)
        hold_back_day(database, day=LAST_DAY)
        time_build(database, home / "work", as_of=YESTERDAY)
        settle(database)
        time_build(database, home / "work", as_of=YESTERDAY)
        let_day_arrive(database)
        one_day = time_build(database, home / "work", as_of=TODAY)
    clients = "same clients" if same_clients else "new clients"
    add_build(report, f"one day, {COPIES + 1} years, {clients}", size, one_day)
    report.keep_long(clients, one_day)


def add_build(report: Report, step: str, size: int, timing: Timing, *, floor: float | None = None) -> None:
    """Add a build's row."""
    report.add(step, size, timing.whole, sql=timing.sql, floor=floor)


def add_check(report: Report, step: str, size: int, check: CheckTiming, *, floor: float) -> None:
    """Add a check's row, and how often it read the tables."""
    report.add(step, size, check.timing.whole, sql=check.timing.sql, floor=floor)
    report.keep_scans(f"{step}, {size:,} messages", check)


def check_floor(report: Report, url: str) -> None:
    """Make sure that the floor did the same work: equal values in equal columns."""
    for mart in find_differences(url):
        report.warn(f"{mart} differs from its floor: the ratio compares different work")
    for mart in find_uncovered(url):
        report.warn(f"{mart} is not part of the floor: builds do more than what they are compared with")


if __name__ == "__main__":
    main()
