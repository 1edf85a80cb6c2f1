"""Builds in a process of their own, as a scheduler starts them, with the seconds that Postgres worked for them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from agentp.database import open_connection

PROGRAM = """
import os, sys
from pathlib import Path
from agentp.pipeline import build
from agentp.settings import Settings
build(
    Settings(home=Path(os.environ["BENCHMARK_HOME"])), os.environ["BENCHMARK_URL"],
    as_of=sys.argv[1], full_refresh=sys.argv[2] == "full",
)
"""


@dataclass(frozen=True)
class Timing:
    """Seconds of the whole process, and those in which its statements ran (two threads count twice)."""

    whole: float
    sql: float


def time_build(url: str, home: Path, *, as_of: str, full_refresh: bool = False) -> Timing:
    """Build in a new process; return its seconds. A build that fails ends the benchmark with its message."""
    worked = read_active_seconds(url)
    environment = {**os.environ, "BENCHMARK_HOME": str(home), "BENCHMARK_URL": url}
    begin = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, as_of, "full" if full_refresh else "scoped"],
        env=environment,
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    whole = time.perf_counter() - begin
    if result.returncode != 0:
        raise SystemExit(f"A build failed:\n{result.stdout}{result.stderr}")
    time.sleep(0.2)  # sessions hand in their statistics as they end
    return Timing(whole=whole, sql=read_active_seconds(url) - worked)


def read_active_seconds(url: str) -> float:
    """Return the seconds that the database's sessions have worked so far."""
    with open_connection(url) as connection:
        row = connection.execute(
            "select active_time / 1000 from pg_stat_database where datname = current_database()"
        ).fetchone()
    return float(row[0]) if row else 0.0
