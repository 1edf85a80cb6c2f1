"""What a million clients cost: search within a salon, and `agentp score`.

A random chain, the same every time, written straight into the raw tables. Aims: a search for a part of a name or a
phone under 5 ms; scoring all clients and 100,000 bookings ahead within 60 s and 2 GB. Run it as
`python -m benchmarks.people [--clients N] [--url SERVER]`; the build before it takes some minutes.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agentp.database import open_connection
from agentp.pipeline import migrate
from agentp.server import remove_server, start_server
from benchmarks.building import time_build
from benchmarks.exporting import make_database

PORT = 54421
SEARCHES = ("Мария", "мария аб", "абв", "ма", "79", "7919", "1234567", "zzz")
LOOKS = 20
SEARCH = """
select * from dashboard.clients
where tenant_id = %s and (client_name ilike %s or phone ilike %s)
order by created_at desc limit 50
"""

TENANTS = 40
AHEAD = 100_000
"""Bookings ahead."""
AS_OF = "2026-11-01"
"""The day that everything is built and scored for."""

# Rows are written without triggers, as a first load into an empty database would be; the first build takes everything.
_FILL = """
set session_replication_role = replica;
select setseed(0.5);
create temporary table people as
select
    md5('client' || number)::uuid as client_id,
    md5('tenant' || number %% %(tenants)s)::uuid as tenant_id,
    number,
    (10 + 60 * random())::integer as cycle,
    case when random() < 0.35 then 1 else 2 + (-5 * ln(1 - random()))::integer end as bookings,
    (700 * random())::integer as met
from generate_series(1, %(clients)s) as number;

insert into tenants_v2 (id, name, metadata, created_at)
select
    md5('tenant' || number)::uuid, 'salon ' || number,
    jsonb_build_object('settings', jsonb_build_object('timezone', 'Europe/Moscow')), '2024-11-01'
from generate_series(0, %(tenants)s - 1) as number;

insert into clients_v2 (id, tenant_id, telegram_chat_id, phone, full_name, created_at)
select
    client_id, tenant_id, number, '79' || lpad((number::bigint * 7919 %% 1000000000)::text, 9, '0'),
    (
        array[
            'Мария', 'Анна', 'Ольга', 'Елена', 'Наталья', 'Ирина', 'Светлана', 'Дарья', 'Юлия', 'Вера',
            'Татьяна', 'Екатерина', 'Алина', 'Полина', 'Ксения', 'Виктория', 'Марина', 'Алексей', 'Иван', 'Сергей'
        ]
    )[1 + abs(hashint4(number)) %% 20]
    || ' ' || initcap(translate(substr(md5(number::text), 1, 8), '0123456789abcdef', 'абвгдежзиклмнопр')),
    timestamptz '2024-11-01' + met * interval '1 day'
from people;

insert into conversation_sessions_v2 (
    session_id, tenant_id, user_id, channel, started_at, ended_at, final_status, final_intent,
    booking_id, booking_status, booking_datetime, booking_amount, booking_currency, meta
)
select
    md5('session' || people.number || '/' || nth)::uuid, people.tenant_id, people.client_id, 'telegram',
    visit_at - lead * interval '1 day', visit_at - lead * interval '1 day' + interval '5 minutes', 'done', 'booking',
    people.number || '/' || nth, case when chance < 0.12 then 'cancelled' else 'confirmed' end, visit_at,
    500 + people.number %% 40 * 100, 'RUB',
    jsonb_build_object(
        'staff_id', (people.number %% 6)::text, 'services_selected', jsonb_build_array((people.number %% 20)::text),
        'visit_status', case when chance > 0.93 and visit_at < timestamptz '2026-11-01' then 'no_show' end
    )
from people
cross join lateral generate_series(0, people.bookings - 1) as nth
cross join lateral (
    select
        date_trunc('hour', timestamptz '2024-11-03 10:00+00'
        + (people.met + nth * people.cycle * (0.7 + 0.6 * random())) * interval '1 day') as visit_at,
        random() as chance,
        (20 * random() ^ 2)::integer as lead
) as drawn
where visit_at < timestamptz '2026-11-01';

insert into conversation_sessions_v2 (
    session_id, tenant_id, user_id, channel, started_at, ended_at, final_status, final_intent,
    booking_id, booking_status, booking_datetime, booking_amount, booking_currency, meta
)
select
    md5('ahead' || number)::uuid, tenant_id, client_id, 'telegram',
    timestamptz '2026-10-20' + number %% 11 * interval '1 day',
    timestamptz '2026-10-20 00:05' + number %% 11 * interval '1 day',
    'done', 'booking', 'ahead/' || number, 'confirmed',
    timestamptz '2026-11-02 10:00+00' + number %% 14 * interval '1 day', 1500, 'RUB', '{}'
from people
where number <= %(ahead)s;

reset session_replication_role;
analyze;
"""


def main() -> None:
    """Fill, build, search and score; print seconds and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1_000_000)
    parser.add_argument("--url", help="a server whose login may create databases (else one is started and removed)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agentp-benchmark-") as temporary:
        home = Path(temporary)
        home.chmod(0o755)
        url = options.url or start_server(home=home / "server", preferred_port=PORT).url
        try:
            with make_database(url, "agentp_benchmark") as database:
                migrate(database, with_change_tracking=True, report=lambda line: None)
                fill_people(database, clients=options.clients)
                build = time_build(database, home / "work", as_of=AS_OF)
                print(f"build from nothing: {build.whole:.1f} s")
                time_searches(database)
                time_score(database)
        finally:
            if not options.url:
                remove_server(home=home / "server")


def time_searches(url: str) -> None:
    """Print median and slowest milliseconds of each search in one salon, planned anew each time as a page would."""
    with open_connection(url, autocommit=True) as connection:
        connection.execute("vacuum analyze dashboard.clients")
        tenant = connection.execute("select tenant_id from dashboard.clients limit 1").fetchone()
        for text in SEARCHES:
            looks = []
            for _ in range(LOOKS):
                begin = time.perf_counter()
                found = connection.execute(
                    SEARCH, (tenant[0] if tenant else None, f"%{text}%", f"%{text}%"), prepare=False
                ).fetchall()
                looks.append((time.perf_counter() - begin) * 1000)
            median, slowest = statistics.median(looks), max(looks)
            print(f"search {text!r}: {len(found)} rows, median {median:.2f} ms, most {slowest:.2f} ms")


def time_score(url: str) -> None:
    """Print seconds and peak memory of `agentp score` in a process of its own, the first time and again."""
    program = "import sys; from activation.scores import score; print(score(sys.argv[1], as_of=sys.argv[2]))"
    for run in ("first", "again"):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, url, AS_OF], check=True)
        seconds = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"score, {run}: {seconds:.1f} s, {peak:,.0f} MB at most")


def fill_people(url: str, *, clients: int) -> None:
    """Write the chain; the raw tables must be there and empty."""
    with open_connection(url) as connection:
        for statement in _FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"clients": clients, "tenants": TENANTS, "ahead": min(AHEAD, clients)})
        connection.commit()


if __name__ == "__main__":
    main()
