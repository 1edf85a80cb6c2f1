"""No JSON, time or number breaks the gate or a build, and each is judged for what it is (issue 3; REQUIREMENTS B5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from agentp.settings import Settings
from expectations.gate import check_standard
from tests.expectations.good_salon import PRESENT, name_rows, write_good_salon
from tests.expectations.hostile_values import AMOUNTS, INTEGERS, MOMENTS, TEXTS, find_broken, json_texts
from tests.support.marts import Workshop, make_id
from tests.support.options import Examples

COLUMNS = {
    "tenants_v2": ("metadata", "id = %(tenant)s"),
    "clients_v2": ("meta", "id = %(anna)s"),
    "conversation_sessions_v2": ("meta", "session_id = %(closed)s"),
    "recent_history_v2": ("meta", "session_id = %(done)s"),
    "wishlist_v2": ("meta", "tenant_id = %(tenant)s and status = 'pending'"),
    "user_ltm_v2": ("ltm_data", "user_id = %(anna)s"),
}
"""The JSON columns of the standard, and a row of each table."""


def write_salons(connection: psycopg.Connection[Any], texts: Sequence[str]) -> list[tuple[str, Any]]:
    """Make a good salon for each text, and put the text wherever JSON can be; return names and what was stored."""
    written = []
    for number, text in enumerate(texts):
        salon = f"salon {number}"
        try:
            with connection.transaction():
                stored = connection.execute("select %s::jsonb::text", (text,)).fetchone()
        except psycopg.DataError:
            continue  # Postgres refuses to store it: no row can hold it.
        write_good_salon(connection, salon, number=number)
        for table, (column, place) in COLUMNS.items():
            connection.execute(
                f"update {table} set {column} = %(text)s where {place}", {"text": text, **name_rows(salon)}
            )
        written.append((salon, json.loads(stored[0], parse_int=float) if stored else None))
    return written


def read_failing(url: str) -> dict[str, set[str]]:
    """Return the failing rules by salon."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select tenant_id::text, array_agg(rule_id) from quality.latest_results where rows_failed > 0 group by 1"
        ).fetchall()
    return {tenant: set(rules) for tenant, rules in rows}


def empty_tables(connection: psycopg.Connection[Any]) -> None:
    connection.execute("truncate tenants_v2, active_sessions_v2 cascade")


def check_texts(url: str, texts: Sequence[str]) -> None:
    """Check salons with these texts, and hold each salon's verdict against what the text is."""
    with psycopg.connect(url) as connection:
        empty_tables(connection)
        written = write_salons(connection, texts)
    assert check_standard(url, present=PRESENT, is_full=True).outcome in ("passed", "warned", "failed")
    failing = read_failing(url)
    for salon, document in written:
        assert failing.get(str(make_id(salon)), set()) == find_broken(document), json.dumps(document)[:500]


def test_every_known_sort_of_json_is_judged_for_what_it_is(workshop: Workshop) -> None:
    check_texts(workshop.url, TEXTS)


@settings(max_examples=1)
@given(data=st.data())
def test_any_json_is_judged_for_what_it_is(workshop: Workshop, examples: Examples, data: st.DataObject) -> None:
    # A text is a salon's, so that one check is of all of them.
    check_texts(workshop.url, [data.draw(json_texts()) for _ in range(examples.count)])


def test_digits_of_other_scripts_are_no_digits_whatever_the_collation_says(
    server_url: str, open_database: Callable[[str | None], str], home: Path
) -> None:
    url = open_database(None)
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:
        is_new = connection.info.server_version >= 180_000
        provider = "builtin builtin_locale 'PG_UNICODE_FAST'" if is_new else "icu icu_locale 'und'"
        connection.execute(f'drop database "{name}"')
        connection.execute(f'create database "{name}" template template0 encoding utf8 locale_provider {provider}')
    Workshop(url=url, settings=Settings(home=home, database_url=url)).migrate()
    texts = (
        '{"date": "٢٠٢٦-02-28", "service_id": "1", "selected_datetime": "2026-02-28T1٠:00"}',
        '{"selected_datetime": "٢٠٢٦-02-28T10:00", "settings": {"closing_time": "1٣:00"}}',
    )
    check_texts(url, texts)


def write_hostile_times(connection: psycopg.Connection[Any]) -> None:
    """Give one salon sessions, messages and wishes of all extreme times, amounts and numbers, met in every way."""
    write_good_salon(connection, "times", number=900)
    ids = {**name_rows("times"), "duration": 0}
    for number, (started_at, ended_at) in enumerate(product(MOMENTS[:-1], MOMENTS)):
        amount, count = AMOUNTS[number % len(AMOUNTS)], INTEGERS[number % len(INTEGERS)]
        values = {
            **ids, "session": make_id(f"times {number}"), "started_at": started_at, "ended_at": ended_at,
            "amount": amount, "count": count, "duration": INTEGERS[number // 2 % len(INTEGERS)],
        }  # fmt: skip
        for statement in HOSTILE_ROWS:
            connection.execute(statement, values)


HOSTILE_ROWS = (
    "insert into conversation_sessions_v2 (session_id, tenant_id, user_id, channel, started_at, ended_at, "
    "duration_sec, final_status, booking_id, booking_datetime, booking_amount, messages_count, agent_messages_count, "
    "user_messages_count, created_at) values (%(session)s, %(tenant)s, %(anna)s, 'telegram', %(started_at)s, "
    "%(ended_at)s, %(duration)s, 'done', '1', %(ended_at)s, %(amount)s, %(count)s, %(count)s, %(duration)s, "
    "%(started_at)s)",
    "insert into recent_history_v2 (tenant_id, user_id, session_id, role, channel, message, created_at) "
    "values (%(tenant)s, %(anna)s, %(session)s, 'user', 'telegram', 'hi', %(started_at)s)",
    "insert into wishlist_v2 (tenant_id, user_id, item_type, item_id, status, processed_at, amount, created_at) "
    "values (%(tenant)s, %(olga)s, 'slot', '1', 'converted', %(ended_at)s, %(amount)s, %(started_at)s)",
    "update user_ltm_v2 set (last_visit_date, avg_visit_interval, churn_risk_score) "
    "= (%(ended_at)s, %(count)s, %(amount)s) where user_id = %(anna)s",
    "update clients_v2 set (telegram_chat_id, yclients_client_id, updated_at) "
    "= (-9223372036854775808, 9223372036854775807, %(started_at)s) where id = %(vera)s",
    "update tenants_v2 set updated_at = %(started_at)s where id = %(tenant)s",
)


def test_no_time_and_no_number_breaks_the_gate(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        write_hostile_times(connection)
    found = {result.rule_id: result.rows_failed for result in check_standard(workshop.url, present=PRESENT).broken}
    sessions, later = len(MOMENTS[:-1]) * len(MOMENTS), 4  # moments after the present
    assert found["sessions.ended_at_present"] == len(MOMENTS) - 1
    assert found["sessions.not_in_future"] == sessions - (len(MOMENTS) - 1 - later) * (len(MOMENTS) - later)
    assert found["messages.not_in_future"] == later * len(MOMENTS)
    expected = workshop.execute(
        "select count(*) filter (where booking_amount < 0 or booking_amount::text in ('NaN', 'Infinity')) as amounts, "
        "count(*) filter (where ended_at < started_at) as turned from conversation_sessions_v2"
    )[0]
    assert found["sessions.booking_amount_not_negative"] == found["wishes.amount_not_negative"] == expected["amounts"]
    assert found["sessions.ended_after_start"] == expected["turned"]


def test_a_build_goes_on_over_rows_of_all_these_sorts(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        written = write_salons(connection, TEXTS)
        write_hostile_times(connection)
    assert check_standard(workshop.url, present=PRESENT).outcome == "failed"
    workshop.build()
    archived = workshop.execute("select count(*) as n from dashboard.sessions where not is_inferred")[0]["n"]
    assert archived == 3 * (len(written) + 1) + len(MOMENTS[:-1]) * len(MOMENTS)
    kept = workshop.execute("select count(*) as n from dashboard.dialogs")[0]["n"]
    assert kept == workshop.execute("select count(*) as n from recent_history_v2")[0]["n"]
