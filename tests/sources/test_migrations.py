"""Migrations from the legacy shape to the standard: on live rows, any number of times, losing nothing (A3, A4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agentp.database import open_connection
from agentp.errors import SetupError
from agentp.settings import Settings
from sources.declaration import describe_columns
from sources.migrations import list_migrations
from sources.raw_tables import find_missing_columns
from systems.agent_p import SYSTEM
from systems.system import COLUMNS
from tests.support.marts import Workshop, make_id

SHAPE = """
select table_name as place, column_name as name, data_type || coalesce(column_default, '') || is_nullable as what
from information_schema.columns
where table_schema = 'public'
union all
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) || convalidated
from pg_constraint
where connamespace = 'public'::regnamespace
union all
select indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
from pg_index
where indrelid::regclass::text like '%\\_v2'
union all
select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
from pg_trigger
where not tgisinternal
order by 1, 2, 3
"""


@pytest.fixture
def legacy(open_database: Callable[[str | None], str], home: Path) -> Workshop:
    """The bots' database of today: the legacy shape, with a salon, a dialogue and its discomforts."""
    url = open_database(None)
    shop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    shop.migrate(is_oldest=True)
    shop.add_tenant()
    shop.add_client()
    shop.add_session("archived", "2026-02-01 10:00+00", "2026-02-01 10:20+00", booking_id="81")
    owner = {"tenant_id": make_id("salon"), "user_id": make_id("client")}
    for name in ("archived", "open"):
        shop.insert("active_sessions_v2", [{"session_id": make_id(name), "channel": "telegram", **owner}])
    shop.add_message(1, "2026-02-01 10:00+00", session="archived")
    shop.add_message(2, "2026-02-02 10:00+00", session="open")
    shop.add_message(3, "2026-02-01 10:05+00")
    shop.insert("wishlist_v2", [{"item_type": "slot_waiting", "item_id": "service_1", **owner}])
    return shop


def read_shape(shop: Workshop) -> list[dict[str, Any]]:
    """Return every column, constraint, index and trigger of the raw tables."""
    return shop.execute(SHAPE)


def test_the_legacy_shape_is_what_the_seed_complains_of(legacy: Workshop) -> None:
    columns = legacy.execute("select attname from pg_attribute where attrelid = 'wishlist_v2'::regclass")
    assert not {"status", "processed_at", "amount"} & {row["attname"] for row in columns}
    key = "select confrelid::regclass::text as target from pg_constraint where conname = %s"
    assert legacy.execute(key, ("recent_history_v2_session_id_fkey",)) == [{"target": "active_sessions_v2"}]


def test_migrating_live_rows_reports_orphans_and_loses_nothing(legacy: Workshop) -> None:
    warnings = legacy.migrate()
    assert [warning for warning in warnings if "1 messages pointed at no archived session" in warning]
    rows = legacy.execute("select id, session_id, legacy_session_id from recent_history_v2 order by id")
    assert [(row["id"], row["session_id"], row["legacy_session_id"]) for row in rows] == [
        (1, make_id("archived"), None),
        (2, None, make_id("open")),
        (3, None, None),
    ]
    assert legacy.execute("select status, processed_at, amount from wishlist_v2") == [
        {"status": "pending", "processed_at": None, "amount": None}
    ]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        legacy.add_message(4, "2026-02-02 10:00+00", session="open")
    with pytest.raises(psycopg.errors.CheckViolation):
        legacy.execute("update wishlist_v2 set status = 'lost'")


def test_migrating_again_changes_nothing(legacy: Workshop) -> None:
    legacy.migrate()
    shape = read_shape(legacy)
    rows = legacy.execute("select *, xmin::text as version from recent_history_v2 order by id")
    assert legacy.migrate() == []
    assert read_shape(legacy) == shape
    assert legacy.execute("select *, xmin::text as version from recent_history_v2 order by id") == rows


def test_a_session_archived_later_takes_its_orphans_back(legacy: Workshop) -> None:
    legacy.migrate()
    legacy.build()
    assert legacy.sessions_of_messages()[2][1] == "inferred"
    legacy.add_session("open", "2026-02-02 09:00+00", "2026-02-02 11:00+00")
    legacy.build()
    assert legacy.sessions_of_messages()[2] == (make_id("open"), "recorded")


def test_the_legacy_shape_builds_as_it_is(legacy: Workshop) -> None:
    legacy.build()
    sources = {message: source for message, (_, source) in legacy.sessions_of_messages().items()}
    assert sources == {1: "recorded", 2: "inferred", 3: "matched"}
    assert legacy.execute("select wish_status from staging.stg_agent_p__wishes") == [{"wish_status": "pending"}]


def test_wishes_with_a_strange_status_are_reported_and_kept(legacy: Workshop) -> None:
    legacy.execute("alter table wishlist_v2 add column status text not null default 'waiting'")
    assert [warning for warning in legacy.migrate() if "1 rows have a status other than" in warning]
    assert legacy.execute("select status from wishlist_v2") == [{"status": "waiting"}]
    legacy.execute("update wishlist_v2 set status = 'pending'")
    assert legacy.migrate() == []
    validated = "select convalidated from pg_constraint where conname = 'wishlist_status_check'"
    assert legacy.execute(validated) == [{"convalidated": True}]


def test_memory_gets_the_columns_of_churn(legacy: Workshop) -> None:
    legacy.migrate()
    legacy.insert("user_ltm_v2", [{"user_id": make_id("client"), "tenant_id": make_id("salon")}])
    row = legacy.execute("select * from user_ltm_v2")[0]
    assert (row["last_visit_date"], row["avg_visit_interval"], row["churn_risk_score"]) == (None, None, 0)


def test_without_change_tracking_raw_tables_get_no_trigger_and_no_index(legacy: Workshop) -> None:
    legacy.migrate(with_change_tracking=False)
    assert legacy.execute("select 1 from pg_trigger where tgname like 'agentp%'") == []
    assert legacy.execute("select 1 from pg_class where relname like 'agentp%'") == []


def test_a_held_table_stops_a_migration_that_needs_it_and_leaves_it_whole(
    legacy: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = read_shape(legacy)
    monkeypatch.setattr("sources.migrations.LOCK_TIMEOUT", "200ms")
    with psycopg.connect(legacy.url) as holder:
        holder.execute("select * from wishlist_v2")
        with pytest.raises(SetupError, match=r"0002_wishlist_status.*somebody else holds"):
            legacy.migrate()
    assert read_shape(legacy) == shape
    legacy.migrate()


def test_what_a_killed_index_build_left_is_made_anew(legacy: Workshop) -> None:
    legacy.migrate()
    legacy.execute("update pg_index set indisvalid = false where indexrelid = 'agentp_history_client'::regclass")
    legacy.migrate()
    valid = "select indisvalid from pg_index where indexrelid = 'agentp_history_client'::regclass"
    assert legacy.execute(valid) == [{"indisvalid": True}]


def test_no_index_of_ours_refuses_a_row_of_the_bots_for_its_length(legacy: Workshop) -> None:
    legacy.execute("create index agentp_clients_whatsapp on clients_v2 (whatsapp_id, tenant_id)")
    legacy.migrate()
    found = legacy.execute(
        "select indexrelid::regclass::text as name from pg_index join pg_class as indexes on indexrelid = indexes.oid "
        "join pg_am on relam = pg_am.oid join pg_attribute as a on a.attrelid = indrelid and a.attnum = any (indkey) "
        "where relname like 'agentp\\_%%' and amname <> 'hash' and atttypid in ('text'::regtype, 'jsonb'::regtype)"
    )
    assert found == []
    tenant = legacy.execute("select id from tenants_v2 limit 1")[0]["id"]
    # Letters that no compression makes short.
    legacy.execute(
        "insert into clients_v2 (id, tenant_id, whatsapp_id) select gen_random_uuid(), %s, "
        "(select string_agg(md5(n::text), '') from generate_series(1, 30000) as n)", [tenant]
    )  # fmt: skip


def test_an_index_that_is_wanted_no_more_waits_for_no_reader(legacy: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    legacy.migrate()
    legacy.execute("create index agentp_clients_whatsapp on clients_v2 (whatsapp_id)")
    monkeypatch.setattr("sources.migrations.LOCK_TIMEOUT", "200ms")
    left = "select count(*) as n from pg_class where relname = 'agentp_clients_whatsapp'"
    with psycopg.connect(legacy.url) as reader:
        reader.execute("select count(*) from clients_v2")
        for _ in range(2):
            assert legacy.migrate() == []
    assert legacy.migrate() == []
    assert legacy.execute(left) == [{"n": 0}]


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(migration.name[:4]) for migration in list_migrations(SYSTEM)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_file_of_columns_says_what_the_migrations_make(open_database: Callable[[str | None], str]) -> None:
    with open_connection(open_database(None), autocommit=True) as connection:
        assert describe_columns(connection, SYSTEM) == (SYSTEM.folder / COLUMNS).read_text(encoding="utf-8"), (
            "Write it anew: make docs"
        )


def test_the_needed_columns_are_those_of_the_first_migration(legacy: Workshop) -> None:
    declared = SYSTEM.needed_columns
    assert set(declared) == {
        "tenants_v2", "clients_v2", "active_sessions_v2", "conversation_sessions_v2", "recent_history_v2",
        "wishlist_v2", "user_ltm_v2",
    }  # fmt: skip
    for table, columns in declared.items():
        stored = legacy.execute(
            "select column_name from information_schema.columns where table_name = %s order by ordinal_position",
            (table,),
        )
        assert columns == [row["column_name"] for row in stored]
    legacy.execute("alter table clients_v2 drop column phone")
    with psycopg.connect(legacy.url) as connection:
        assert find_missing_columns(connection, SYSTEM) == ["clients_v2.phone"]
