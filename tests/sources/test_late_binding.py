"""Bots alter their tables as they like: no view of ours is in the way, and the next build says what it lacks."""

from __future__ import annotations

import re

import psycopg
import pytest

from agentp.errors import RawTablesError
from systems.agent_p import SYSTEM
from tests.support.marts import Workshop, make_id

# Views depend on the rows of raw tables, never on a column of them; whatever is added later is held to it as well.
COLUMNS_HELD = """
select distinct pg_class.oid::regclass::text as view, refobjid::regclass::text as raw_table, refobjsubid
from pg_depend
inner join pg_rewrite on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
inner join pg_class on ev_class = pg_class.oid
where
    refclassid = 'pg_class'::regclass and refobjsubid > 0
    and refobjid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r')
"""


@pytest.fixture
def salon(workshop: Workshop) -> Workshop:
    """A salon whose client waits for a place, as builds left it."""
    workshop.add_dialogue()
    owner = {"tenant_id": make_id("salon"), "user_id": make_id("client")}
    workshop.insert("wishlist_v2", [{"item_type": "slot_waiting", "item_id": "service_1", "comment": "soon", **owner}])
    workshop.build()
    return workshop


def read_live(salon: Workshop) -> dict[str, int]:
    """Return how many rows each live view shows."""
    views = salon.execute("select viewname::text as name from pg_views where schemaname = 'live' order by 1")
    return {view["name"]: len(salon.execute(f"select * from dashboard.{view['name']}")) for view in views}


def test_columns_are_altered_and_dropped_while_views_go_on(salon: Workshop) -> None:
    assert salon.execute(COLUMNS_HELD) == []
    shown = read_live(salon)
    assert shown["waitlist"] == 1
    for statement in (
        "alter table wishlist_v2 alter column comment type varchar(500)",
        "alter table clients_v2 alter column phone type varchar(32)",
        "alter table recent_history_v2 alter column message type varchar(4096)",
        "alter table conversation_sessions_v2 drop column final_summary",
        "alter table conversation_sessions_v2 rename column final_intent to intent",
        "alter table wishlist_v2 drop column processed_at",
        "alter table tenants_v2 alter column updated_at type timestamp",
    ):
        salon.execute(statement)
    # What is gone is shown nowhere live; who reads what is there goes on.
    assert read_live(salon) == shown
    lacking = r"lacks conversation_sessions_v2\.final_intent, conversation_sessions_v2\.final_summary"
    with pytest.raises(RawTablesError, match=lacking):
        salon.build_with_dbt()

    salon.execute("alter table tenants_v2 alter column updated_at type timestamptz")
    salon.execute("alter table conversation_sessions_v2 rename column intent to final_intent")
    salon.execute("alter table conversation_sessions_v2 add column final_summary text")
    salon.execute("alter table clients_v2 drop column phone, add column phone text default '+7 916 123-45-67'")
    salon.build_with_dbt()
    assert salon.execute("select phone from dashboard.waitlist") == [{"phone": "+7 916 123-45-67"}]
    assert salon.execute(COLUMNS_HELD) == []


def test_a_column_is_planned_as_if_it_stood_there(salon: Workshop) -> None:
    query = "explain (verbose) select phone from dashboard.waitlist where tenant_id = %s"
    with psycopg.connect(salon.url) as connection:
        # Of a handful of rows the planner would rather read all.
        connection.execute("set enable_seqscan = off")
        plan = "\n".join(line for (line,) in connection.execute(query, [make_id("salon")]).fetchall())
    assert re.search(r"Index Cond: .*raw_row(_\d)?\.tenant_id = '", plan), plan
    assert "staging." not in plan
    # With its owner's rights, which what shows it to readers needs; they have none on it (tests/access).
    views = "select relname::text, reloptions from pg_class where relnamespace = 'staging'::regnamespace"
    options = {row["relname"]: row["reloptions"] for row in salon.execute(views)}
    assert {tuple(options[table]) for table in SYSTEM.columns} == {("security_invoker=false",)}


def test_types_of_a_readers_own_come_nowhere_in_between(salon: Workshop) -> None:
    bodies = salon.execute("select prosrc from pg_proc where pronamespace = 'staging'::regnamespace")
    assert len(bodies) == sum(len(columns) for columns in SYSTEM.columns.values())
    assert [row["prosrc"] for row in bodies if "::pg_catalog." not in row["prosrc"]] == []
