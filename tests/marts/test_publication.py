"""What `published` promises (DESIGN, decision 3): identity kept, only differences written, contracts altered."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from access.audit import audit_access
from agentp import project, settings
from agentp.database import open_connection
from agentp.errors import BuildError
from agentp.settings import Settings
from tests.support.marts import MARTS, Workshop
from tests.support.waiting import wait_until

CHANGED_NOTHING = (0, 0, 0)


@pytest.fixture(scope="module")
def built_salon(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with a salon and one dialogue, built."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    workshop.add_tenant()
    workshop.add_client()
    workshop.add_session("visit", "2026-02-01 10:00+00", "2026-02-01 10:20+00", booking_id="81", booking_amount=10)
    workshop.add_message(1, "2026-02-01 10:00+00", session="visit")
    workshop.add_message(2, "2026-02-01 10:00:04+00", session="visit", role="assistant")
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def salon(open_database: Callable[[str | None], str], built_salon: str, home: Path) -> Workshop:
    """Such a salon of the test's own."""
    url = open_database(built_salon)
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


@pytest.fixture
def own_project(salon: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project that the test may change, with a home where what dbt parsed of it stays."""
    salon.settings = salon.settings.model_copy(update={"home": tmp_path / "home"})
    folder = tmp_path / "dbt_project"
    shutil.copytree(settings.DBT_PROJECT, folder)
    monkeypatch.setattr(project, "DBT_PROJECT", folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def read_versions(workshop: Workshop) -> dict[str, list[tuple[str, str]]]:
    """Return where every row of every mart lies and which transaction wrote it."""
    return {
        name: [
            (row["place"], row["writer"])
            for row in workshop.execute(f"select ctid::text as place, xmin::text as writer from {name} order by ctid")
        ]
        for name in MARTS
    }


def read_identities(workshop: Workshop) -> dict[str, int]:
    return {name: workshop.execute(f"select '{name}'::regclass::oid as id")[0]["id"] for name in MARTS}


@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_second_build_writes_no_row(salon: Workshop, full_refresh: bool) -> None:
    before = read_versions(salon)
    changes = salon.build(full_refresh=full_refresh)
    assert {(c.inserted, c.updated, c.deleted) for c in changes.values()} == {CHANGED_NOTHING}
    assert read_versions(salon) == before


def test_only_rows_that_differ_are_written_and_counted(salon: Workshop) -> None:
    salon.execute("update conversation_sessions_v2 set booking_amount = 12")
    salon.add_message(3, "2026-02-01 10:10+00", session="visit")
    changes = salon.build()
    counts = {mart: (change.inserted, change.updated, change.deleted) for mart, change in changes.items()}
    assert counts["dialogs"] == (1, 0, 0)
    assert counts["sessions"] == counts["revenue_daily"] == counts["metrics_dailies"] == (0, 1, 0)
    assert counts["funnel_daily"] == counts["int_tenant_days"] == CHANGED_NOTHING


def test_a_full_refresh_keeps_the_relation_its_grants_and_the_views_on_it(salon: Workshop) -> None:
    salon.execute("grant select on dashboard.sessions to public")
    salon.execute("create view public.owners_view as select session_id from dashboard.sessions")
    before = read_identities(salon)
    salon.build(full_refresh=True)
    assert read_identities(salon) == before
    assert len(salon.execute("select * from public.owners_view")) == 1
    granted = salon.execute(
        "select 1 from information_schema.role_table_grants "
        "where table_schema = 'dashboard' and table_name = 'sessions' and grantee = 'PUBLIC'"
    )
    assert len(granted) == 1


def test_a_new_column_of_the_contract_is_added_in_place(salon: Workshop, own_project: Path) -> None:
    before = read_identities(salon)
    daily = own_project / "models" / "agent_p" / "marts" / "daily"
    edit(
        daily / "revenue_daily.sql",
        "summed.earned_without_amount\n",
        "summed.earned_without_amount,\n        1 as answer\n",
    )
    edit(
        daily / "_daily.yml",
        "      - name: bookings_without_amount\n",
        "      - name: answer\n        data_type: integer\n        description: One.\n"
        "        constraints: [{type: not_null}]\n      - name: bookings_without_amount\n",
    )  # fmt: skip
    salon.build()
    assert read_identities(salon) == before
    assert [row["answer"] for row in salon.execute("select answer from dashboard.revenue_daily")] == [1]
    required = (
        "select attrelid::regclass::text as place, attnotnull from pg_attribute where attname = 'answer' order by 1"
    )
    assert salon.execute(required) == [
        {"place": "analysis.revenue_daily", "attnotnull": False},
        {"place": "dashboard.revenue_daily", "attnotnull": True},
    ]


def test_a_wider_type_is_altered_in_place_and_readers_find_the_old_mart_or_the_new_one(salon: Workshop) -> None:
    salon.execute("drop view analysis.traffic_hourly")
    salon.execute("alter table dashboard.traffic_hourly alter column sessions_started type integer")
    # What analysts read shows the column as well.
    salon.execute(
        "create view analysis.traffic_hourly with (security_invoker = true) as select * from dashboard.traffic_hourly"
    )
    before = read_identities(salon)
    kind = "select pg_typeof(sessions_started)::text as kind from {}.traffic_hourly limit 1"
    waits = "select exists (select 1 from pg_locks where relation = '{}.traffic_hourly'::regclass and not granted)"
    with ThreadPoolExecutor(2) as threads, psycopg.connect(salon.url) as earlier:
        # The build has let go what it drops and waits for the mart, as another reader comes.
        earlier.execute("lock table dashboard.traffic_hourly in access share mode")
        build = threads.submit(salon.build_with_dbt, full_refresh=True, select="traffic_hourly")
        wait_until(salon, waits.format("dashboard"), [])
        reader = threads.submit(salon.execute, kind.format("analysis"))
        wait_until(salon, waits.format("analysis"), [])
        earlier.rollback()
        build.result()
        assert reader.result() == [{"kind": "bigint"}]
    assert salon.execute(kind.format("dashboard")) == [{"kind": "bigint"}]
    assert read_identities(salon) == before


def test_what_others_made_of_a_view_that_is_made_anew_is_named(salon: Workshop) -> None:
    statement = "select access.release('dashboard.traffic_hourly')"
    said = r"analysis\.traffic_hourly has to be made anew, and pg_temp_\d+\.mine of \w+ read it"
    with psycopg.connect(salon.url) as other:
        other.execute("create temporary view mine as select hour from analysis.traffic_hourly")
        other.commit()
        with pytest.raises(psycopg.errors.DependentObjectsStillExist, match=said):
            salon.execute(statement)
    salon.execute("create view public.theirs as select hour from analysis.traffic_hourly")
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match=r"and public\.theirs of \w+ read it"):
        salon.execute(statement)


def test_a_dropped_column_is_a_persons_decision(salon: Workshop) -> None:
    salon.execute("alter table dashboard.sessions add column note text")
    before = salon.read_marts()
    with pytest.raises(BuildError, match=r"(?s)has the column note.*drop column"):
        salon.build_with_dbt(full_refresh=True, select="sessions")
    assert salon.read_marts() == before


def test_a_narrower_type_is_a_persons_decision(salon: Workshop) -> None:
    salon.execute("drop view analysis.traffic_hourly")
    salon.execute("alter table dashboard.traffic_hourly alter column sessions_started type text")
    with pytest.raises(BuildError, match=r"(?s)sessions_started is text.*decide"):
        salon.build_with_dbt(full_refresh=True, select="traffic_hourly")


def test_a_key_that_is_widened_is_widened_in_place(salon: Workshop) -> None:
    salon.execute(
        "alter table dashboard.freed_slots drop constraint freed_slots_pkey, add primary key (tenant_id, booking_id)"
    )
    before = read_identities(salon)
    salon.build_with_dbt(full_refresh=True)
    assert read_identities(salon) == before
    [key] = salon.execute(
        "select pg_get_constraintdef(oid) as columns from pg_constraint "
        "where conrelid = 'dashboard.freed_slots'::regclass and contype = 'p'"
    )
    assert key["columns"] == "PRIMARY KEY (tenant_id, booking_id, visit_at)"


def test_another_key_is_a_persons_decision(salon: Workshop) -> None:
    salon.execute("alter table dashboard.sessions drop constraint sessions_pkey, add primary key (session_id)")
    with pytest.raises(BuildError, match=r"primary key \(session_id\)"):
        salon.build_with_dbt(full_refresh=True, select="sessions")


def test_a_view_in_the_place_of_a_mart_is_a_persons_decision(salon: Workshop) -> None:
    salon.execute("drop table dashboard.funnel_daily cascade")
    salon.execute("create view dashboard.funnel_daily as select 1 as one")
    with pytest.raises(BuildError, match="a mart is a table"):
        salon.build_with_dbt(select="funnel_daily")


def test_a_build_of_some_marts_leaves_the_changes_for_the_others(salon: Workshop) -> None:
    salon.add_message(3, "2026-02-01 10:10+00", session="visit")
    salon.build(select="dialogs")
    changes = salon.build()
    assert changes["dialogs"].inserted == 0
    assert changes["sessions"].updated == changes["metrics_dailies"].updated == 1


def test_changed_definitions_compute_everything_anew(salon: Workshop) -> None:
    salon.settings = salon.settings.model_copy(update={"session_gap_minutes": 45})
    assert all(change.was_full for change in salon.build().values())
    assert not any(change.was_full for change in salon.build().values())


def test_a_truncated_table_is_noticed(salon: Workshop) -> None:
    salon.execute("truncate recent_history_v2")
    changes = salon.build()
    assert changes["dialogs"].deleted == 2
    assert salon.execute("select messages from dashboard.metrics_dailies where messages > 0") == []


def test_descriptions_and_declared_grants_follow_the_models(salon: Workshop, own_project: Path) -> None:
    readers, daily = (
        own_project / "models" / "agent_p" / "marts" / "clients",
        own_project / "models" / "agent_p" / "marts" / "daily",
    )
    for table in (readers / "_win_back.yml", daily / "_traffic.yml"):
        declared = "    config: {grants: {select: [agentp_test_bi, agentp_test_absent]}}\n    columns:\n"
        edit(table, "    columns:\n", declared)
    salon.execute("comment on column analysis.traffic_hourly.hour is 'by hand'")
    salon.execute("comment on table dashboard.visits is null")
    salon.execute("create role agentp_test_bi")
    try:
        salon.build()
        assert read_rights(salon) == ["dashboard.traffic_hourly", "dashboard.win_back", "live.win_back"]
        with open_connection(salon.url) as connection:
            assert [gap for gap in audit_access(connection) if "agentp_test_bi" in gap.detail] == []
        for table in (readers / "_win_back.yml", daily / "_traffic.yml"):
            edit(table, declared, "    columns:\n")
        salon.build()
        assert read_rights(salon) == []
    finally:
        salon.execute("drop owned by agentp_test_bi; drop role agentp_test_bi")
    [comments] = salon.execute(
        "select obj_description('dashboard.visits'::regclass) as visits, "
        "col_description('analysis.traffic_hourly'::regclass, 3) as hour, col_description(oid, 3) as source "
        "from pg_class where oid = 'dashboard.traffic_hourly'::regclass"
    )
    assert comments["visits"].startswith("One row per booking")
    assert comments["hour"] == comments["source"] != "by hand"


def read_rights(workshop: Workshop) -> list[str]:
    found = workshop.execute(
        "select oid::regclass::text as place from pg_class where relnamespace in "
        "('dashboard'::regnamespace, 'live'::regnamespace, 'analysis'::regnamespace, 'intermediate'::regnamespace) "
        "and relkind in ('r', 'v') and has_table_privilege('agentp_test_bi', oid, 'select') order by 1"
    )
    return [row["place"] for row in found]
