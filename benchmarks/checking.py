"""Checks of the data standard in a process of their own, beside reading every raw row once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from agentp.database import open_connection
from benchmarks.building import Timing, read_active_seconds
from systems.registry import get_main_system

PROGRAM = """
import os, sys
from datetime import UTC, datetime
from expectations.gate import check_standard
present = datetime(2026, 11, 2, tzinfo=UTC)
verdict = check_standard(os.environ["BENCHMARK_URL"], present=present, is_full=sys.argv[1] == "full")
print(verdict.rows_looked_at)
"""


@dataclass(frozen=True)
class CheckTiming:
    """One check: its seconds, the rows it looked at, and how often it read the tables' blocks."""

    timing: Timing
    rows: int
    scans: float


def time_check(url: str, *, is_full: bool) -> CheckTiming:
    """Check in a new process; return its seconds and the blocks it read, in sizes of all raw tables."""
    worked, read = read_active_seconds(url), _count_blocks_read(url)
    begin = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "full" if is_full else "changes"],
        env={**os.environ, "BENCHMARK_URL": url}, cwd=Path(__file__).resolve().parents[1],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    whole = time.perf_counter() - begin
    if result.returncode != 0:
        raise SystemExit(f"A check failed:\n{result.stdout}{result.stderr}")
    time.sleep(1.2)  # sessions hand in their statistics about once a second
    return CheckTiming(
        timing=Timing(whole=whole, sql=read_active_seconds(url) - worked),
        rows=int(result.stdout),
        scans=(_count_blocks_read(url) - read) / _count_blocks(url),
    )


def time_scan(url: str) -> float:
    """Return the seconds of reading every value of every raw row once, by one process of the server."""
    with open_connection(url) as connection:
        connection.execute("set max_parallel_workers_per_gather = 0")
        begin = time.perf_counter()
        for table in get_main_system().by_name:
            connection.execute(
                sql.SQL("select sum(hashtextextended(rows::text, 1)::numeric) from {} as rows").format(
                    sql.Identifier("public", table)
                )
            )
        return time.perf_counter() - begin


def _count_blocks_read(url: str) -> int:
    with open_connection(url) as connection:
        row = connection.execute(
            "select sum(heap_blks_read + heap_blks_hit) from pg_statio_user_tables "
            "where schemaname = 'public' and relname = any(%s)",
            (list(get_main_system().by_name),),
        ).fetchone()
    return int(row[0]) if row else 0


def _count_blocks(url: str) -> int:
    with open_connection(url) as connection:
        row = connection.execute(
            "select sum(pg_relation_size(c.oid) / current_setting('block_size')::int) from pg_class as c "
            "where c.relnamespace = 'public'::regnamespace and c.relname = any(%s)",
            (list(get_main_system().by_name),),
        ).fetchone()
    return int(row[0]) if row else 1
