"""What engines promise any system that declares itself goes the whole way on the toy one (tests/toy)."""

from __future__ import annotations

import pytest

from agentp import pipeline
from tests.systems.conftest import Toy

ONE, TWO = "edbab455-72c7-2a5d-9440-b40bcc0500c0", "fbfba2e4-5c20-45dc-5cab-22a5afe83d9d"


def read_orders(toy: Toy) -> dict[str, tuple[str, int]]:
    rows = toy.execute("select order_id, price_amount::text as price, event_count from toy.orders")
    return {row["order_id"]: (row["price"], row["event_count"]) for row in rows}


def test_marts_stand_in_a_schema_of_the_systems_and_follow_what_changed(toy: Toy) -> None:
    toy.check()
    assert toy.build() == {
        "toy__orders": (2, 0, 0, True), "toy__orders_daily": (1, 0, 0, True), "toy__order_statuses": (2, 0, 0, True),
    }  # fmt: skip
    assert read_orders(toy) == {"o1": ("10.50", 1), "o2": ("3.00", 0)}
    assert toy.execute("select order_count from toy.orders_daily") == [{"order_count": 1}]
    toy.execute("update toy_raw.orders set price = 4, paid_at = '2026-01-06' where id = 'o2'")
    toy.execute("insert into toy_raw.events (brand_id, \"order\") values ('b2', 'o2'), ('b2', 'o2')")
    found = toy.build()
    assert (found["toy__orders"], found["toy__orders_daily"]) == ((0, 1, 0, False), (1, 0, 0, False))
    assert read_orders(toy) == {"o1": ("10.50", 1), "o2": ("4.00", 2)}
    toy.execute("delete from toy_raw.events; delete from toy_raw.orders where id = 'o2'")
    found = toy.build()
    assert (found["toy__orders"], found["toy__orders_daily"]) == ((0, 1, 1, False), (0, 0, 1, False))
    assert {tuple(counts) for counts in toy.build().values()} == {(0, 0, 0, False)}
    stands = toy.execute("select * from toy.orders order by 1, 2")
    toy.build(full_refresh=True)
    assert toy.execute("select * from toy.orders order by 1, 2") == stands


def test_what_a_source_overwrites_or_deletes_is_kept_from_the_first_build_on(toy: Toy) -> None:
    history = (
        "select order_id, status, (valid_from at time zone 'Europe/Moscow')::date::text as day, is_first_seen, "
        "is_deleted from toy.order_statuses order by order_id, valid_from"
    )
    toy.build(as_of="2026-01-10")
    seen = [("o1", "new", "2026-01-11", True, False), ("o2", "new", "2026-01-11", True, False)]
    assert [tuple(row.values()) for row in toy.execute(history)] == seen
    toy.execute("update toy_raw.orders set status = 'paid' where id = 'o1'; delete from toy_raw.orders where id = 'o2'")
    toy.execute("insert into toy_raw.orders (id, brand_id) values ('o4', 'b1')")
    # Who looks back sees today's rows, and a full build computes nothing of it anew.
    toy.build(as_of="2026-01-05", full_refresh=True)
    assert [tuple(row.values()) for row in toy.execute(history)] == seen
    toy.build(as_of="2026-01-12")
    toy.build(as_of="2026-01-13", full_refresh=True)
    assert [tuple(row.values()) for row in toy.execute(history)] == [
        seen[0], ("o1", "paid", "2026-01-13", False, False), seen[1], ("o2", "new", "2026-01-13", False, True),
        ("o4", "new", "2026-01-13", True, False),
    ]  # fmt: skip


def test_triggers_note_whose_rows_changed_and_what_is_watched_alone(toy: Toy) -> None:
    toy.build()
    queue = "select tenant_id::text, order_id from change_tracking.toy__changed_orders order by change_id"
    toy.execute("update toy_raw.brands set opened_on = '2026-01-01'")
    assert toy.execute(queue) == []
    toy.execute("update toy_raw.brands set title = 'Uno' where id = 'b1'")
    toy.execute("update toy_raw.orders set id = 'o3' where id = 'o2'")
    assert toy.execute(queue) == [
        {"tenant_id": ONE, "order_id": None},
        {"tenant_id": TWO, "order_id": "o2"},
        {"tenant_id": TWO, "order_id": "o3"},
    ]
    assert toy.build()["toy__orders"] == (1, 0, 1, False)


def test_without_triggers_fingerprints_tell_what_changed(toy: Toy) -> None:
    toy.execute("drop schema change_tracking cascade")
    toy.build()
    toy.execute("update toy_raw.orders set price = 4 where id = 'o2'")
    assert toy.build()["toy__orders"] == (0, 1, 0, False)
    toy.execute("update toy_raw.brands set title = 'Uno'")
    toy.execute("delete from toy_raw.events")
    assert toy.build()["toy__orders"] == (0, 1, 0, False)


def test_a_row_that_breaks_a_rule_is_set_aside_and_comes_back_when_it_is_repaired(toy: Toy) -> None:
    toy.execute("update toy_raw.orders set price = -1 where id = 'o1'")
    verdict = toy.check()
    assert verdict.outcome == "failed"
    assert [result.rule_id for result in verdict.results if result.is_broken] == ["toy.orders.price_not_negative"]
    toy.build()
    assert read_orders(toy) == {"o2": ("3.00", 0)}
    aside = toy.execute("select tenant_id::text, table_name, row_key from quality.rows_set_aside")
    assert aside == [{"tenant_id": ONE, "table_name": "toy__orders", "row_key": "o1"}]
    toy.execute("alter table toy_raw.orders disable trigger user; update toy_raw.orders set price = 1 where id = 'o1'")
    assert toy.check().outcome == "passed"
    toy.execute("alter table toy_raw.orders enable trigger user")
    assert toy.build()["toy__orders"] == (1, 0, 0, False)
    assert read_orders(toy) == {"o1": ("1.00", 1), "o2": ("3.00", 0)}


def test_rows_are_of_who_may_see_their_tenant_and_columns_of_their_class(toy: Toy) -> None:
    toy.build()
    toy.execute("create role agentp_test_reader login; create role agentp_test_analyst login")
    try:
        toy.execute("grant agentp_reader to agentp_test_reader; grant agentp_analyst to agentp_test_analyst")
        toy.execute(f"insert into access.logins (tenant_id, login) values ('{ONE}', 'agentp_test_reader')")
        for relation in ("toy.orders", "toy.brands"):
            seen = toy.execute(f"select tenant_id::text from {relation}", role="agentp_test_reader")
            assert seen == [{"tenant_id": ONE}]
        columns = toy.execute("select * from analysis.toy__orders order by order_id", role="agentp_test_analyst")
        assert [row["order_id"] for row in columns] == ["o1", "o2"]
        assert "tags" not in columns[0]
    finally:
        toy.execute("drop owned by agentp_test_reader, agentp_test_analyst")
        toy.execute("drop role agentp_test_reader, agentp_test_analyst")


def test_a_system_that_is_off_stays_as_it_is(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.build()
    before = read_orders(toy)
    toy.execute("update toy_raw.orders set price = 99")
    monkeypatch.setenv("AGENTP_SYSTEMS", "agent_p")
    pipeline.migrate(toy.url, with_change_tracking=True, report=lambda line: None)
    assert "toy__orders" not in toy.build()
    assert read_orders(toy) == before
    monkeypatch.setenv("AGENTP_SYSTEMS", "agent_p,tests.toy")
    assert "toy__orders" in toy.build()
    assert read_orders(toy)["o1"] == ("99.00", 1)
