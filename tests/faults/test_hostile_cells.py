"""Whatever one cell of the bots' tables holds, everything goes its whole way: marts, tests, scores, pages, files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from activation.runs import activate
from agentp.digesting import show_digests
from agentp.pipeline import check_marts, score
from reports.audiences import Audience
from reports.exports import FORMATS, export_marts
from reports.site import write_site
from tests.expectations.hostile_values import AMOUNTS, GOOD_TEXTS, INTEGERS, MOMENTS, TEXTS
from tests.support.marts import Workshop, make_id

AS_OF = "2026-02-28"
LONGEST = 10_000
"""Longer values are tests/expectations/test_hostile_json.py's; here each is read a dozen times."""
BIG_INTEGERS = (-(2**63), -1, 0, 2**63 - 1, None)
CURRENCIES = ("eur", "RUBLES", "<b>", "₽", "XXX")
VALUES: dict[str, tuple[Any, ...]] = {
    "text": (*GOOD_TEXTS, *CURRENCIES, "=1+1", "<script>alert(1)</script>"),
    "numeric": (*AMOUNTS, "1e30", "99999999999999999999.99"),
    "integer": INTEGERS,
    "bigint": BIG_INTEGERS,
    "timestamp with time zone": (*MOMENTS, "20261-03-05 10:00+00", "2026-03-05 10:00+00"),
    "jsonb": tuple(text for text in TEXTS if len(text) < LONGEST),
}
"""Every kind of column, and what each cell of it is made to hold once."""
OTHERS = frozenset({"id", "session_id", "tenant_id", "user_id", "legacy_session_id", "status"})
"""What says whose a row is, of which other tests are, and a wish's status, of which Postgres takes three words."""
ROWS: dict[str, dict[str, Any]] = {
    "clients_v2": {"full_name": "Анна"},
    "conversation_sessions_v2": {
        "channel": "telegram", "started_at": "2026-02-20 10:00+00", "ended_at": "2026-02-20 10:10+00",
        "final_status": "done", "booking_status": "confirmed", "booking_datetime": "2026-03-05 10:00+00",
        "booking_amount": "1000", "booking_currency": "RUB",
        "meta": '{"services_selected": ["$service"], "staff_id": "4"}',
    },
    "recent_history_v2": {
        "role": "user", "channel": "telegram", "message": "hi", "created_at": "2026-02-20 10:05+00",
    },
    "wishlist_v2": {
        "item_type": "slot_waiting", "item_id": "service_$service", "source": "bot",
        "created_at": "2026-02-01 10:00+00", "meta": '{"date": "2026-03-05", "service_id": "$service"}',
    },
    "user_ltm_v2": {"ltm_data": "{}"},
}  # fmt: skip
"""A row of each table as a bot writes it."""
SERVICES = 50
"""A few of the wishes fit a few of the bookings."""
PAST = {
    **ROWS["conversation_sessions_v2"], "started_at": "2026-01-10 10:00+00", "ended_at": "2026-01-10 10:10+00",
    "booking_datetime": "2026-01-20 10:00+00",
}  # fmt: skip
"""An earlier dialogue, whose visit is over."""


def list_cells(workshop: Workshop, table: str) -> Iterator[tuple[str, Any]]:
    """Every column of a table with every value of its kind that Postgres takes."""
    for column in workshop.execute(
        "select column_name, data_type, is_nullable from information_schema.columns "
        "where table_schema = 'public' and table_name = %s order by ordinal_position",
        [table],
    ):
        if column["column_name"] in OTHERS:
            continue
        for value in VALUES[column["data_type"]]:
            if value is None and column["is_nullable"] == "NO":
                continue
            if column["data_type"] == "jsonb" and not is_storable(workshop, value):
                continue
            yield column["column_name"], value


def is_storable(workshop: Workshop, text: str) -> bool:
    """Whether Postgres takes the JSON: not half a pair of characters, nor U+0000."""
    try:
        workshop.execute("select %s::jsonb::text", [text])
    except psycopg.DataError:
        return False
    return True


def fill_service(row: dict[str, Any], service: int) -> dict[str, Any]:
    """The row about one of the services."""
    return {name: value.replace("$service", str(service)) for name, value in row.items()}


def fill_cells(workshop: Workshop) -> int:
    """Give a salon a row for each such cell, every one with a client and a dialogue of its own; return how many."""
    workshop.add_tenant(metadata=json.dumps({"settings": {"timezone": "Europe/Moscow", "digest": "both"}}))
    tables: dict[str, list[dict[str, Any]]] = {table: [] for table in ROWS}
    count = 0
    for table in ROWS:
        for column, value in list_cells(workshop, table):
            count += 1
            name = f"{table} {count}"
            client, session = make_id(name), make_id(f"session {name}")
            own: dict[str, Any] = {"tenant_id": make_id("salon"), "user_id": client}
            rows: dict[str, dict[str, Any]] = {
                "clients_v2": {"id": client, "tenant_id": make_id("salon")},
                "conversation_sessions_v2": {**own, "session_id": session, "booking_id": f"b{count}"},
                "recent_history_v2": {**own, "id": count, "session_id": session},
                "wishlist_v2": own,
                "user_ltm_v2": own,
            }
            past = {"session_id": make_id(f"past {name}"), "booking_id": f"past {count}"}
            tables["conversation_sessions_v2"].append({**PAST, **own, **past})
            for other, row in rows.items():
                if other in (table, "clients_v2", "conversation_sessions_v2", "recent_history_v2"):
                    cell = {column: value} if other == table else {}
                    tables[other].append({**fill_service(ROWS[other], count % SERVICES), **row, **cell})
    for table, found in tables.items():
        workshop.insert(table, found)
    return count


def test_every_hostile_value_in_every_column_goes_the_whole_way(workshop: Workshop, tmp_path: Path) -> None:
    assert fill_cells(workshop) > 1000
    workshop.execute("analyze")  # which on a server that stays is done by itself a minute later
    workshop.check()
    workshop.build(as_of=AS_OF)
    assert check_marts(workshop.settings, workshop.url, as_of=AS_OF) > 40
    assert {report.kind: report.rows > 100 for report in score(workshop.url)} == {"churn": True, "booking": True}
    assert workshop.execute("select count(*) > 100 as is_many from dashboard.risky_slots")[0]["is_many"]
    for audience in Audience:
        site = write_site(workshop.url, tmp_path / audience, audience=audience, processes=1)
        assert (site.salons, site.rendered) == (1, 1)
        for file_format in FORMATS:
            folder = tmp_path / f"{audience}-{file_format}"
            export_marts(workshop.url, folder, file_format=file_format, audience=audience)
    assert activate(workshop.url, as_of=date(2026, 2, 28), is_applied=True) is not None
    said = StringIO()
    show_digests(Console(file=said), workshop.settings, tenant=None, out=tmp_path / "digests", as_of=AS_OF)
    assert len(list((tmp_path / "digests").iterdir())) == 2
    assert not {"NaN", "Infinity", "None"} & set(said.getvalue().split())


LONG = "(select string_agg(md5(n::text), '') from generate_series(1, 4000) as n)"
"""128 KB that nothing makes shorter: an index takes 2,704 bytes."""
LONG_TEXTS = {
    "clients_v2": ("full_name", "phone"),
    "conversation_sessions_v2": (
        "booking_id", "channel", "final_status", "final_intent", "final_summary", "booking_source", "booking_status",
        "booking_currency",
    ),
    "recent_history_v2": ("channel", "role", "message"), "wishlist_v2": ("item_type", "item_id", "source", "comment"),
    "user_ltm_v2": ("preferred_staff_id",), "tenants_v2": ("name", "slug"),
}  # fmt: skip


def test_texts_of_any_length_stop_no_build_and_are_told_of(workshop: Workshop) -> None:
    for salon in ("salon", "far"):
        workshop.add_tenant(salon)
        workshop.add_client(salon, f"{salon} client")
        for name, day, past in (("past", 10, 20), ("ahead", 20, 35)):
            workshop.add_session(
                f"{salon} {name}", f"2026-02-{day} 10:00+00", f"2026-02-{day} 10:20+00", tenant=salon,
                client=f"{salon} client", booking_id=f"{salon} {name}", booking_status="confirmed",
                booking_datetime=f"2026-0{2 + past // 28}-{past % 28 + 1:02} 10:00+00", booking_amount=1,
                booking_currency="RUB", meta={"services_selected": ["1"], "staff_id": "2"},
            )  # fmt: skip
            workshop.add_message(
                day + len(salon), f"2026-02-{day} 10:00+00", session=f"{salon} {name}", tenant=salon,
                client=f"{salon} client",
            )  # fmt: skip
        workshop.insert("wishlist_v2", [{
            "tenant_id": make_id(salon), "user_id": make_id(f"{salon} client"), "item_type": "slot_waiting",
            "item_id": "service_1", "meta": {"date": "2026-03-08"},
        }])  # fmt: skip
        workshop.insert("user_ltm_v2", [{"user_id": make_id(f"{salon} client"), "tenant_id": make_id(salon)}])
    for table, columns in LONG_TEXTS.items():
        changes = ", ".join(f"{column} = {LONG}" for column in columns)
        where = "id" if table == "tenants_v2" else "tenant_id"
        workshop.execute(f"update {table} set {changes} where {where} = %s", [make_id("salon")])
    for table in ("conversation_sessions_v2", "wishlist_v2"):
        workshop.execute(
            f"update {table} set meta = meta || jsonb_build_object('staff_id', {LONG}, 'service_id', {LONG}, "
            f"'services_selected', jsonb_build_array({LONG}), 'staff_name', {LONG}, 'service_title', {LONG}) "
            "where tenant_id = %s",
            [make_id("salon")],
        )
    workshop.execute("update recent_history_v2 set message = repeat(message, 8) where length(message) > 1000")
    workshop.execute(
        "update conversation_sessions_v2 set booking_id = booking_id || session_id where tenant_id = %s",
        [make_id("salon")],
    )
    verdict = workshop.check()
    broken = {result.rule_id for result in verdict.results if result.is_broken and "texts_short" in result.rule_id}
    assert broken == {f"{prefix}.texts_short" for prefix in ("tenants", "clients", "sessions", "messages", "wishes")}
    workshop.build()
    assert check_marts(workshop.settings, workshop.url, as_of=AS_OF) > 40
    [row] = workshop.execute(
        "select count(*) filter (where length(booking_id) <= 200) as bookings, count(distinct tenant_id) as salons "
        "from dashboard.visits"
    )
    assert row == {"bookings": 4, "salons": 2}
    assert workshop.execute("select max(length(message_text)) as n from dashboard.dialogs") == [{"n": 1_000_000}]
    assert workshop.execute("select max(length(client_name)) as n from dashboard.clients") == [{"n": 300}]
    assert workshop.execute("select max(length(message)) as n from recent_history_v2") == [{"n": 1_024_000}]
