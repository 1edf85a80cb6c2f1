"""What a run without changes costs beside its SQL: the price of a cron line (issue 5; aim: under 15 s on two cores).

The floor is importing what the run cannot do without (dagster, dbt, Great Expectations), one after the other, each in a
process of its own. Run it as `python -m benchmarks.running --as-of DAY` on a database that `agentp run` has built.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import psycopg

from agentp.database import resolve_url
from agentp.settings import read_settings

LIBRARIES = ("dagster", "dbt.cli.main", "great_expectations")
ROUNDS = 3
_READ_SQL_SECONDS = "select active_time / 1000 from pg_stat_database where datname = current_database()"


def measure_imports() -> dict[str, float]:
    """Return the median seconds that importing each library takes in a fresh process."""
    return {
        library: statistics.median(_time([sys.executable, "-c", f"import {library}"]) for _ in range(ROUNDS))
        for library in LIBRARIES
    }


def measure_runs(url: str, *, as_of: str) -> list[tuple[float, float]]:
    """Return seconds of some runs without changes, each with those of its SQL."""
    command = [sys.executable, "-m", "agentp", "run", "--as-of", as_of]
    _time(command)
    measured = []
    for _ in range(ROUNDS):
        before = _read_sql_seconds(url)
        seconds = _time(command)
        measured.append((seconds, _read_sql_seconds(url) - before))
    return measured


def _time(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _read_sql_seconds(url: str) -> float:
    # Backends report what they did when they end, or a second after it.
    time.sleep(1.5)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_READ_SQL_SECONDS).fetchone()
    return float(row[0]) if row else 0.0


def main() -> None:
    """Measure, and print a table of seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--as-of", required=True, metavar="DAY")
    arguments = parser.parse_args()
    imports = measure_imports()
    floor = sum(imports.values())
    for library, seconds in imports.items():
        print(f"import {library:24}{seconds:8.2f} s")
    print(f"floor: all of them {floor:16.2f} s")
    for seconds, statements in measure_runs(resolve_url(read_settings()), as_of=arguments.as_of):
        outside = seconds - statements
        print(
            f"run {seconds:6.2f} s, SQL {statements:5.2f} s, beside it {outside:6.2f} s, {outside / floor:4.2f} x floor"
        )


if __name__ == "__main__":
    main()
