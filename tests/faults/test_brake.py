"""A build that would take away much of what stands stops, says what it saw, and goes on only when told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp import pipeline
from agentp.brake import announce_removal
from agentp.database import open_connection
from agentp.errors import BuildError
from agentp.settings import Settings
from tests.agentp.conftest import RunCommand, run_command
from tests.support.marts import MARTS, Workshop, make_id

__all__ = ["run_command"]
SALONS, CLIENTS = ("north", "south", "west"), 40
STAND = ("dashboard.dialogs", "dashboard.sessions", "dashboard.clients", "dashboard.metrics_dailies")
FILL = """
insert into clients_v2 (id, tenant_id, full_name)
select md5(tenants_v2.id || 'client' || n)::uuid, tenants_v2.id, 'client ' || n
from tenants_v2, generate_series(1, %(clients)s) as n;
insert into conversation_sessions_v2 (session_id, tenant_id, user_id, channel, started_at, ended_at, final_status)
select
    md5(id || 'session')::uuid, tenant_id, id, 'telegram', timestamptz '2026-02-01 09:00+00' + n * interval '5 hours',
    timestamptz '2026-02-01 09:20+00' + n * interval '5 hours', 'auto_closed'
from (select *, row_number() over (partition by tenant_id order by id) as n from clients_v2) as numbered;
insert into recent_history_v2 (tenant_id, user_id, session_id, role, channel, message, created_at)
select tenant_id, user_id, session_id, case n when 1 then 'user' else 'assistant' end, channel, 'word', started_at
from conversation_sessions_v2, generate_series(1, 2) as n;
"""


@pytest.fixture(scope="module")
def built_chain(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with three salons of 40 clients, a dialogue of two messages each, built."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    for salon in SALONS:
        workshop.add_tenant(salon, slug=salon)
    for statement in FILL.strip().split(";\n"):
        workshop.execute(statement.rstrip(";"), {"clients": CLIENTS})
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def chain(open_database: Callable[[str | None], str], built_chain: str, home: Path) -> Workshop:
    """Such a chain of the test's own."""
    url = open_database(built_chain)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, brake_rows=20))


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        ("delete from recent_history_v2 where tenant_id = %(south)s", "80 messages of salon"),
        ("truncate recent_history_v2", "80 messages of salon"),
        ("truncate conversation_sessions_v2 cascade", "40 sessions of salon"),
        ("delete from clients_v2 where tenant_id = %(south)s", "40 clients of salon"),
        ("delete from clients_v2 where full_name > 'client 2'", "are gone from public.clients_v2, more than"),
        ("delete from tenants_v2 where id = %(south)s", "80 messages of salon"),
    ],
)  # fmt: skip
def test_what_the_raw_tables_lost_as_a_whole_stops_a_build_before_its_first_mart(
    chain: Workshop, loss: str, says: str
) -> None:
    before = chain.read_marts()
    chain.execute("set session_replication_role = replica; " + loss.replace("%(south)s", f"'{make_id('south')}'"))
    with pytest.raises(BuildError, match="The brake stopped the build before its first mart") as stop:
        chain.build_with_dbt()
    assert says in stop.value.message
    assert "--accept-removals" in stop.value.cure
    assert chain.read_marts() == before


@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_mart_that_would_lose_more_than_the_share_of_a_salon_stays_as_it_is_until_told(
    chain: Workshop, full_refresh: bool
) -> None:
    before = chain.read_marts(STAND)
    chain.execute(
        "delete from recent_history_v2 where tenant_id = %s and role = 'assistant' and id %% 4 <> 0", [make_id("south")]
    )
    [lost] = chain.execute("select 80 - count(*) as n from recent_history_v2 where tenant_id = %s", [make_id("south")])
    assert 20 < lost["n"] < 48
    with pytest.raises(BuildError) as stop:
        chain.build_with_dbt(full_refresh=full_refresh)
    for part in ("dashboard.dialogs", "240 rows", f"{lost['n']} would go", "(0.2)", f"south {lost['n']} of 80 rows"):
        assert part in stop.value.message
    assert chain.read_marts(["dashboard.dialogs"]) == {"dashboard.dialogs": before["dashboard.dialogs"]}
    assert chain.execute("select outcome from build.runs order by claimed_at desc limit 1") == [{"outcome": "failed"}]
    if not full_refresh:
        changes = pipeline.build(chain.settings, chain.url, as_of="2026-02-28", accept_removals=True)
        assert {change.mart: change.deleted for change in changes}["dialogs"] == lost["n"]


@pytest.mark.parametrize(
    "command",
    [("build",), ("score",), ("activate", "--apply"), ("report", "--out", "{site}")],
    ids=lambda each: each[0],
)
def test_a_salon_that_is_gone_stops_whatever_reads_marts_and_raw_tables_however_few_its_rows(
    chain: Workshop, run_command: RunCommand, tmp_path: Path, command: tuple[str, ...]
) -> None:
    chain.execute("set session_replication_role = replica; delete from tenants_v2 where slug = 'south'")
    before = chain.read_marts()
    site = tmp_path / "site"
    answer = run_command(*(part.format(site=site) for part in command), database_url=chain.url)
    assert answer.code == 1, answer.out
    assert "The brake stopped the" in answer.err
    assert "80 messages of salon" in answer.err
    assert chain.read_marts() == before
    assert not site.exists()


def test_what_was_announced_goes_without_a_word_once_and_nothing_else_with_it(chain: Workshop) -> None:
    with open_connection(chain.url) as connection:
        announce_removal(connection, make_id("south"), reason="purge")
        for table in ("recent_history_v2", "conversation_sessions_v2", "clients_v2"):
            connection.execute(f"delete from {table} where tenant_id = %s", [make_id("south")])
        connection.execute("delete from tenants_v2 where slug = 'south'")
        announce_removal(connection, make_id("west"), reason="move", mart="dialogs", rows=30)
        connection.execute(
            "delete from recent_history_v2 where tenant_id = %s and role = 'assistant'", [make_id("west")]
        )
        connection.commit()
    chain.settings = chain.settings.model_copy(update={"brake_rows": 5, "brake_share": 0.1})
    with pytest.raises(BuildError, match=r"dashboard\.dialogs: .*: west 10 of 80 rows\."):
        chain.build_with_dbt()
    with open_connection(chain.url) as connection:
        announce_removal(connection, make_id("west"), reason="move", mart="dialogs", rows=10)
        connection.commit()
    changes = chain.build_with_dbt()
    assert changes["dialogs"].deleted == 120
    assert (
        chain.execute("select distinct tenant_id from dashboard.clients where tenant_id = %s", [make_id("south")]) == []
    )
    assert chain.execute("select count(settled_at) as n, count(*) as every from quality.announced_removals") == [
        {"n": 3, "every": 3}
    ]
    chain.execute("set session_replication_role = replica; delete from tenants_v2 where slug = 'west'")
    with pytest.raises(BuildError, match="messages of salon"):
        chain.build_with_dbt()


def test_a_build_that_looks_back_is_compared_with_the_days_that_were_over_by_then(chain: Workshop) -> None:
    """Nothing else loses anything here: what the marts of days are summed from stands whole."""
    add = (
        "insert into dashboard.traffic_hourly select filled.* "
        "from (select distinct on (tenant_id) * from dashboard.traffic_hourly) as traffic, "
        "generate_series(1, 30) as n, jsonb_populate_record(null::dashboard.traffic_hourly, "
        "to_jsonb(traffic) || jsonb_build_object('day', %s::date + n, 'hour', 3)) as filled"
    )
    chain.execute(add, ["2026-02-20"])
    chain.build_with_dbt(as_of="2026-02-18", select="traffic_hourly", full_refresh=True)
    assert chain.execute("select 1 from dashboard.traffic_hourly where day > '2026-02-20'") == []
    chain.execute(add, ["2025-12-01"])
    with pytest.raises(BuildError, match=r"dashboard\.traffic_hourly"):
        chain.build_with_dbt(as_of="2026-02-18", select="traffic_hourly", full_refresh=True)


def test_a_share_of_all_lets_everything_go_and_small_losses_need_no_word(chain: Workshop) -> None:
    few = "select id from recent_history_v2 where tenant_id = %s and role = 'assistant' order by id limit 20"
    chain.execute(f"delete from recent_history_v2 where id in ({few})", [make_id("south")])
    chain.build_with_dbt()
    chain.execute("delete from recent_history_v2 where role = 'assistant'")
    chain.settings = chain.settings.model_copy(update={"brake_share": 1})
    chain.build_with_dbt()
    assert chain.execute("select count(*) as n from dashboard.dialogs") == chain.execute(
        "select count(*) as n from recent_history_v2"
    )
    assert set(MARTS) >= set(STAND)
