"""What bots feel of a build: the latency of a live writer beside a full build of the same database (issue 7).

`python -m benchmarks.writing [--rate 200] [--seconds 30]` works on the database that settings name, which it writes
messages into: on a copy. The floor is the same writer with nothing beside it, in the same run. Transactions are due at
random moments of a fixed rate, whether the last one has ended or not, and their latency counts from when they were due
(`pgbench --rate`). The aim: a p99 of at most twice the floor's, no deadlock, no write lost.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from agentp.binaries import find_binaries
from agentp.database import resolve_url
from agentp.settings import read_settings
from agentp.transport import parse_url

SLICE_SECONDS = 5
PREPARATION = """
drop schema if exists load_test cascade;
create schema load_test;
create table load_test.sessions as
select (row_number() over ())::integer as number, tenant_id, user_id, session_id
from (select * from public.conversation_sessions_v2 order by started_at desc limit 5000) as latest;
alter table load_test.sessions add primary key (number);
create table load_test.written (number bigint generated always as identity primary key, told text);
analyze load_test.sessions;
-- Exports bring their own ids.
select setval(pg_get_serial_sequence('public.recent_history_v2', 'id'), (select max(id) from public.recent_history_v2));
"""
SCRIPT = r"""
\set number random(1, 5000)
begin;
insert into public.recent_history_v2 (tenant_id, user_id, session_id, role, channel, message, created_at)
select tenant_id, user_id, session_id, 'user', 'telegram', 'written beside a build', clock_timestamp()
from load_test.sessions where number = :number;
insert into public.recent_history_v2 (tenant_id, user_id, session_id, role, channel, message, created_at)
select tenant_id, user_id, session_id, 'assistant', 'telegram', 'written beside a build', clock_timestamp()
from load_test.sessions where number = :number;
update public.conversation_sessions_v2 set messages_count = messages_count + 2
where session_id = (select session_id from load_test.sessions where number = :number);
insert into load_test.written (told) values ('once');
commit;
"""


@dataclass(frozen=True)
class Transaction:
    """When it ended, in seconds since 1970, and its latency in milliseconds."""

    ended_at: float
    latency: float


@dataclass(frozen=True)
class Latency:
    """Transactions, and their latencies in milliseconds."""

    transactions: int
    p50: float
    p99: float
    worst: float


def write_for(url: str, folder: Path, *, rate: int, seconds: int) -> list[Transaction]:
    """Write at a rate for so long, as eight sessions of a bot, and return every transaction that was committed."""
    parts = parse_url(url)
    folder.mkdir()
    (folder / "bot.sql").write_text(SCRIPT, encoding="utf-8")
    result = subprocess.run(
        [
            str(find_binaries() / "pgbench"), "--no-vacuum", f"--rate={rate}", "--client=8", "--jobs=1",
            f"--time={seconds}", f"--file={folder / 'bot.sql'}", "--log", f"--log-prefix={folder / 'log'}",
        ],
        env={
            **os.environ, "PGHOST": str(parts["host"]), "PGPORT": str(parts["port"]), "PGUSER": str(parts["user"]),
            "PGPASSWORD": str(parts["password"]), "PGDATABASE": str(parts["dbname"]),
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if result.returncode != 0:
        raise SystemExit(f"the writer failed: {result.stdout}")
    lines = [line.split() for path in folder.glob("log.*") for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Transaction(int(second) + int(micro) / 1e6, int(latency) / 1000)
        for _, _, latency, _, second, micro, *_ in lines
    ]


def sum_up(transactions: Sequence[Transaction]) -> Latency:
    """Return how many there are and what they felt."""
    ordered = sorted(transaction.latency for transaction in transactions)
    return Latency(len(ordered), find_quantile(ordered, 0.5), find_quantile(ordered, 0.99), ordered[-1])


def find_quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value that a share of the ordered values does not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def count_deadlocks(url: str) -> int:
    """Return how many deadlocks the server has counted in this database."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select deadlocks from pg_stat_database where datname = current_database()").fetchone()
    return int(row[0]) if row else 0


def count_written(url: str) -> tuple[int, int]:
    """Return how many transactions left their mark, and how many messages there are of them."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select (select count(*) from load_test.written), "
            "(select count(*) from public.recent_history_v2 where message = 'written beside a build')"
        ).fetchone()
    assert row
    return row[0], row[1]


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200, help="transactions a second")
    parser.add_argument("--seconds", type=int, default=30, help="how long the floor is measured")
    parser.add_argument("--as-of", default=None)
    options = parser.parse_args(arguments)
    url = resolve_url(read_settings())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PREPARATION)
    before, messages = count_deadlocks(url), count_written(url)[1]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        alone = write_for(url, folder / "alone", rate=options.rate, seconds=options.seconds)
        began = time.time()
        command = [sys.executable, "-m", "agentp", "build", "--full-refresh"]
        command += ["--as-of", options.as_of] if options.as_of else []
        build = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        beside: list[Transaction] = []
        while build.poll() is None:
            beside += write_for(url, folder / str(len(beside)), rate=options.rate, seconds=SLICE_SECONDS)
        ended = time.time()
    floor, felt = sum_up(alone), sum_up([each for each in beside if each.ended_at <= ended])
    marks, written = count_written(url)
    print(f"build: exit {build.returncode}, {ended - began:.1f} s")
    for name, latency in (("alone", floor), ("beside the build", felt)):
        print(
            f"{name}: {latency.transactions} transactions, p50 {latency.p50:.2f} ms, p99 {latency.p99:.2f} ms, "
            f"worst {latency.worst:.1f} ms"
        )
    print(f"p99: {felt.p99 / floor.p99:.2f} times; deadlocks {count_deadlocks(url) - before}")
    print(
        f"{len(alone) + len(beside)} transactions committed, {marks} left their mark and "
        f"{written - messages} messages, two each"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
