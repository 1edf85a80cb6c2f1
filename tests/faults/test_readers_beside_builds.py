"""Readers with open transactions, and in loops, beside builds: no build fails of them, and none gets an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from access.schema import prepare_access, prepare_roles
from agentp.database import open_connection
from agentp.errors import AgentpError, BuildError
from agentp.settings import Settings
from expectations.schema import prepare_store
from tests.support.holding import READ, hold_everything
from tests.support.marts import Workshop
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def built_salon(make_database: Callable[[str | None], str], built_template: str, home: Path) -> str:
    """The name of a database with a salon and one dialogue, checked and built."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    # The server may have roles by now that it had not when the template was made: policies name those.
    workshop.migrate()
    workshop.add_dialogue()
    workshop.check()
    workshop.build()
    return str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def salon(
    open_database: Callable[[str | None], str], built_salon: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Workshop:
    """Such a salon of the test's own, in which nobody waits long for a lock."""
    url = open_database(built_salon)
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "0.3")
    return Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))


def test_where_nothing_changed_nothing_is_locked_that_readers_feel(salon: Workshop) -> None:
    # This lock stands against all that are stronger than that of writing rows, and against itself.
    with hold_everything(salon, "share update exclusive"):
        salon.migrate()
        salon.check()
        salon.build_with_dbt(full_refresh=True)
        # What a new release would look through, which changes nothing here.
        for schema in ("access", "quality"):
            salon.execute(f"comment on schema {schema} is 'of another release'")
        with open_connection(salon.url) as connection:
            prepare_access(connection)
            prepare_store(connection)


def test_readers_beside_builds_that_change_rows_get_no_error(salon: Workshop) -> None:
    errors: list[str] = []
    over = threading.Event()
    rounds = []

    def read() -> None:
        with psycopg.connect(salon.url, autocommit=True) as reader:
            names = [f"{schema}.{name}" for schema, name in reader.execute(READ) if schema in ("dashboard", "analysis")]
            while not over.is_set():
                for name in reversed(names):
                    try:
                        reader.execute(f"select * from {name}".encode()).fetchall()
                    except psycopg.Error as error:
                        errors.append(f"{name}: {error}")
                rounds.append(len(names))

    thread = threading.Thread(target=read)
    with hold_everything(salon, "access share"):
        thread.start()
        try:
            salon.add_message(2, "2026-02-02 10:01+00")
            salon.execute("update conversation_sessions_v2 set booking_id = '1', booking_amount = 7")
            assert salon.build_with_dbt(as_of="2026-03-01")["dialogs"].inserted == 1
        finally:
            over.set()
            thread.join(60)
    assert errors == []
    assert sum(rounds) > 60
    assert salon.execute("select as_of_day::text as day from build.present") == [{"day": "2026-03-01"}]


def test_a_view_that_must_change_says_who_stands_in_the_way_and_keeps_nobody_waiting(salon: Workshop) -> None:
    salon.execute("create or replace view dashboard.tenant_settings as select * from live.tenant_settings where false")
    with psycopg.connect(salon.url, application_name="a report") as reader:
        reader.execute("select count(*) from dashboard.tenant_settings where tenant_name <> 'Marina'")
        pid = reader.info.backend_pid
        with pytest.raises(BuildError) as caught:
            salon.build_with_dbt(select="tenant_settings")
        said = str(caught.value)
        assert "canceling statement due to lock timeout" in said
        assert f"pid {pid} of " in said
        assert "(a report) on dashboard.tenant_settings" in said
        assert "select count(*) from dashboard.tenant_settings where tenant_name <> '…'" in said
        assert "Marina" not in said
    salon.build_with_dbt(select="tenant_settings")
    assert len(salon.execute("select * from dashboard.tenant_settings")) == 1


def test_who_comes_while_a_view_waits_to_change_waits_a_moment(salon: Workshop) -> None:
    with (
        psycopg.connect(salon.url) as first, psycopg.connect(salon.url) as changer,
        psycopg.connect(salon.url, autocommit=True) as second,
    ):  # fmt: skip
        first.execute("select * from dashboard.tenant_settings")
        changer.execute("set lock_timeout = '20s'")
        second.execute("set lock_timeout = '5s'")

        def change() -> None:
            changer.execute(
                "select access.change('alter view dashboard.tenant_settings set (security_invoker = true)')"
            )

        thread = threading.Thread(target=change)
        thread.start()
        waits = (
            "select exists (select 1 from pg_locks "
            "where relation = 'dashboard.tenant_settings'::regclass and not granted)"
        )
        wait_until(salon, waits, [])
        # In the queue behind a wait of 20 s this one would fail.
        second.execute("select * from dashboard.tenant_settings")
        first.rollback()
        thread.join(20)
        assert not thread.is_alive()
        assert changer.execute("show lock_timeout").fetchone() == ("20s",)


def test_policies_are_made_once(salon: Workshop) -> None:
    versions = (
        "select oid::int, xmin::text from pg_policy union all select oid::int, xmin::text from pg_class order by 1"
    )
    before = salon.execute(versions)
    with open_connection(salon.url, autocommit=True) as connection:
        assert prepare_roles(connection) == []
    assert salon.execute(versions) == before
    salon.execute("alter policy own on access.logins using (true)")
    salon.execute("drop policy agentp_tenants on access.pattern")
    with open_connection(salon.url, autocommit=True) as connection:
        prepare_roles(connection)
        assert connection.execute(
            "select name from access.policies where relation = 'access.pattern'::regclass and name = 'agentp_tenants'"
        ).fetchone()


def test_a_schema_that_waits_for_a_reader_names_them(salon: Workshop) -> None:
    salon.execute("alter view quality.latest_results set (security_invoker = false)")
    salon.execute("comment on schema quality is 'of another release'")
    with psycopg.connect(salon.url) as reader:
        reader.execute("select * from quality.latest_results")
        with (
            pytest.raises(AgentpError, match=rf"pid {reader.info.backend_pid} of .* on quality\."),
            open_connection(salon.url) as connection,
        ):
            prepare_store(connection)


def test_a_schema_that_waits_for_another_builder_names_them(salon: Workshop) -> None:
    salon.execute("comment on schema quality is 'of another release'")
    with psycopg.connect(salon.url) as builder:
        builder.execute("lock table build.lock_schemas in exclusive mode")
        with (
            pytest.raises(AgentpError, match=rf"pid {builder.info.backend_pid} of .* on build\.lock_schemas"),
            open_connection(salon.url) as connection,
        ):
            prepare_store(connection)


def test_a_view_is_replaced_where_it_differs_and_only_where_postgres_can(salon: Workshop) -> None:
    def put(query: str, hash_of_it: str) -> bool:
        """Put the view, unless it stands; return whether it did."""
        place = "'public.shown'"
        [row] = salon.execute(f"select access.view_stands({place}, '{hash_of_it}') as stands")
        if not row["stands"]:
            salon.execute(f"select access.put_view({place}, 'security_barrier = true', $q${query}$q$, '{hash_of_it}')")
        return bool(row["stands"])

    assert not put("select 1 as one", "a")
    assert put("select 1 as one", "a")
    assert not put("select 2 as one", "b")
    for by_hand in (
        "create or replace view shown as select 3 as one",
        "alter view shown set (security_barrier = false)",
    ):
        salon.execute(by_hand)
        assert not put("select 2 as one", "b")
        assert put("select 2 as one", "b")
    with pytest.raises(
        psycopg.errors.InvalidTableDefinition, match=r"(?s)public.shown.*data type.*drop view public.shown"
    ):
        put("select 2::bigint as one", "c")
