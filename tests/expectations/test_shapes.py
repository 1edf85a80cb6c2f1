"""Columns missing, renamed, of another type or new: reported by the one rule for it (REQUIREMENTS B1, issue 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from expectations.gate import check_standard
from expectations.rules import ExpectTableShape
from expectations.shapes import Shape, find_shape_faults, find_stopping_faults, read_shape
from expectations.standard import list_rules
from systems.agent_p import SYSTEM
from systems.system import RawColumn
from tests.expectations.bad_rows import SHAPE_FAULTS
from tests.expectations.good_salon import PRESENT, write_good_salon
from tests.expectations.tables import TABLES
from tests.support.marts import Workshop, make_id

SESSION_KEY = "messages.session_key_on_archive"
COLUMNS = [(prefix, column) for prefix, table in TABLES.items() for column in SYSTEM.columns[table].values()]
NAMES = [f"{prefix}-{column.name}" for prefix, column in COLUMNS]


@pytest.fixture(scope="module")
def shape_url(make_database: Callable[[str | None], str], _template: str) -> str:
    return make_database(_template)


def read_altered_shape(url: str, statement: str) -> Shape:
    """Return the shape after a statement, which is taken back."""
    with psycopg.connect(url) as connection:
        connection.execute(statement)
        shape = read_shape(connection)
        connection.rollback()
    return shape


def change_type(shape: Shape, table: str, column: str, data_type: str) -> Shape:
    """Return the shape with one column of another type; a column that was not there is added."""
    return replace(shape, types={**shape.types, table: {**shape.types[table], column: data_type}})


def find_broken(shape: Shape) -> dict[str, list[str]]:
    """Return the faults by rule."""
    found = {
        rule.rule_id: find_shape_faults(rule.table_name, shape).get(rule.aspect, [])
        for rule in list_rules()
        if isinstance(rule, ExpectTableShape)
    }
    return {rule_id: faults for rule_id, faults in found.items() if faults}


def is_end_of_session_key(table: str, column: str) -> bool:
    """Whether the foreign key of messages' sessions goes with the column."""
    return column == "session_id" and table in ("recent_history_v2", "conversation_sessions_v2")


def test_migrated_tables_have_the_shape_of_the_standard(shape_url: str) -> None:
    assert find_broken(read_altered_shape(shape_url, "select 1")) == {}


@pytest.mark.parametrize("rule_id", SHAPE_FAULTS)
def test_a_changed_schema_breaks_exactly_its_rule(shape_url: str, rule_id: str) -> None:
    assert set(find_broken(read_altered_shape(shape_url, SHAPE_FAULTS[rule_id]))) == {rule_id}


@pytest.mark.parametrize(("prefix", "column"), COLUMNS, ids=NAMES)
def test_a_dropped_column_is_named_and_stops_the_build_when_it_is_needed(
    shape_url: str, prefix: str, column: RawColumn
) -> None:
    table = TABLES[prefix]
    shape = read_altered_shape(shape_url, f"alter table {table} drop column {column.name} cascade")
    found = find_broken(shape)
    if column.name == "legacy_session_id":
        assert found == {}, "the standard does not know this column"
        return
    assert found.pop(f"{prefix}.columns_present") == [f"{column.name} is missing"]
    assert set(found) == ({SESSION_KEY} if is_end_of_session_key(table, column.name) else set())
    assert find_stopping_faults(shape) == ([f"{table}: {column.name} is missing"] if column.is_needed else [])


@pytest.mark.parametrize(("prefix", "column"), COLUMNS, ids=NAMES)
def test_a_renamed_column_is_reported_with_its_likely_new_name(shape_url: str, prefix: str, column: RawColumn) -> None:
    table, new_name = TABLES[prefix], f"{column.name}_v2"
    found = find_broken(read_altered_shape(shape_url, f"alter table {table} rename column {column.name} to {new_name}"))
    assert found[f"{prefix}.no_new_columns"] == [f"{new_name} ({column.type}) is not in the standard"]
    if column.name != "legacy_session_id":
        assert found[f"{prefix}.columns_present"] == [f"{column.name} is missing (renamed to {new_name}?)"]
    moved_key = {SESSION_KEY} if (table, column.name) == ("recent_history_v2", "session_id") else set()
    assert set(found) <= {f"{prefix}.no_new_columns", f"{prefix}.columns_present"} | moved_key


@pytest.mark.parametrize(("prefix", "column"), COLUMNS, ids=NAMES)
def test_a_column_of_another_type_is_reported_and_stops_the_build(
    shape_url: str, prefix: str, column: RawColumn
) -> None:
    table, shape = TABLES[prefix], read_altered_shape(shape_url, "select 1")
    for data_type in {"text", "uuid", "bigint", "integer", "numeric", "timestamp", "json", "date"} - {column.type}:
        changed = change_type(shape, table, column.name, data_type)
        fault = f"{column.name} is {data_type}, not {column.type}"
        assert find_broken(changed) == {f"{prefix}.column_types": [fault]}
        assert find_stopping_faults(changed) == [f"{table}: {fault}"]


def test_text_may_be_varchar(shape_url: str) -> None:
    shape = read_altered_shape(shape_url, "alter table wishlist_v2 alter column comment type varchar(200)")
    assert find_broken(shape) == {}


@pytest.mark.parametrize("prefix", TABLES)
def test_a_new_column_is_reported_and_stops_nothing(shape_url: str, prefix: str) -> None:
    shape = change_type(read_altered_shape(shape_url, "select 1"), TABLES[prefix], "mood", "text")
    assert find_broken(shape) == {f"{prefix}.no_new_columns": ["mood (text) is not in the standard"]}
    assert find_stopping_faults(shape) == []


@pytest.mark.parametrize("prefix", TABLES)
def test_a_missing_table_is_reported_and_stops_the_build(shape_url: str, prefix: str) -> None:
    table, shape = TABLES[prefix], read_altered_shape(shape_url, "select 1")
    without = replace(shape, types={name: columns for name, columns in shape.types.items() if name != table})
    assert find_broken(without) == {f"{prefix}.columns_present": [f"the table {table} is missing"]}
    assert find_stopping_faults(without) == [f"{table}: the table {table} is missing"]


def read_standing(workshop: Workshop) -> list[dict[str, object]]:
    return workshop.execute("select * from quality.rows_set_aside order by table_name, row_key")


def test_the_gate_stops_at_missing_columns_and_leaves_what_was_set_aside(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        write_good_salon(connection, "salon")
        write_good_salon(connection, "next", number=2)
    workshop.execute("update wishlist_v2 set user_id = %s where status = 'pending'", (make_id("salon vera"),))
    assert check_standard(workshop.url, present=PRESENT).outcome == "failed"
    standing = read_standing(workshop)
    assert len(standing) == 1
    workshop.execute("alter table wishlist_v2 rename column user_id to client_id")
    workshop.execute("alter table clients_v2 alter column phone type bigint using phone::bigint")
    workshop.execute("drop table user_ltm_v2 cascade")

    verdict = check_standard(workshop.url, present=PRESENT)
    assert (verdict.outcome, verdict.exit_code) == ("stopped", 1)
    assert {result.rule_id: result.examples for result in verdict.broken} == {
        "clients.column_types": ("phone is bigint, not text",),
        "memories.columns_present": ("the table user_ltm_v2 is missing",),
        "wishes.columns_present": ("user_id is missing (renamed to client_id?)",),
        "wishes.no_new_columns": ("client_id (uuid) is not in the standard",),
    }
    assert {result.rule_id for result in verdict.results} == {
        rule.rule_id for rule in list_rules() if isinstance(rule, ExpectTableShape)
    }
    assert read_standing(workshop) == standing


def test_the_gate_goes_on_where_a_column_is_missing_that_no_build_needs(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        write_good_salon(connection, "salon")
    assert check_standard(workshop.url, present=PRESENT).outcome == "passed"
    workshop.execute("alter table wishlist_v2 add column mood text")
    verdict = check_standard(workshop.url, present=PRESENT)
    assert (verdict.outcome, verdict.exit_code) == ("warned", 0)
    assert [result.rule_id for result in verdict.broken] == ["wishes.no_new_columns"]

    workshop.execute("alter table wishlist_v2 drop column status, drop column processed_at, drop column amount")
    verdict = check_standard(workshop.url, present=PRESENT)
    assert (verdict.outcome, verdict.exit_code) == ("failed", 1)
    assert {result.rule_id: result.rows_failed for result in verdict.broken} == {
        "wishes.columns_present": 3, "wishes.no_new_columns": 1, "wishes.status_present": 3,
        "wishes.processed_at_filled": 3,
    }  # fmt: skip
