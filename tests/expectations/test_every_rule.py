"""Every rule fails where its bad row is, and nowhere else (REQUIREMENTS B1 to B3); drawn up from the rule list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from expectations.gate import check_standard
from expectations.schema import NOBODY
from expectations.standard import list_row_rules, list_rules
from systems.agent_p.standard.inspections import INSPECTIONS
from tests.expectations.bad_rows import NEIGHBOUR, ROW_FAULTS, SHAPE_FAULTS, name_values
from tests.expectations.good_salon import PRESENT, write_good_salon
from tests.expectations.loosening import drop_constraints
from tests.expectations.tables import TABLES
from tests.support.marts import Workshop, make_id

ROW_RULES = {rule.rule_id: rule for table in TABLES.values() for rule in list_row_rules(table)}
KEYS = {inspection.table: inspection.key.removeprefix("rows.") for inspection in INSPECTIONS}


@dataclass(frozen=True)
class Street:
    """What one check found of many salons: one for every rule, with its fault, and a neighbour who has none."""

    broken_keys: dict[str, str]
    """Rule → the key of the row that its fault changed or added."""
    failing: dict[str, set[str]]
    """Salon's id → the rules about rows that fail there."""
    set_aside: dict[tuple[str, str, str], set[str]]
    """Salon's id, table and key of a row → the rules for which it was set aside."""

    def find_failing(self, rule_id: str) -> set[str]:
        """Return what fails under the id that the rule's bad row is filed under."""
        failing = self.failing.get(find_owner(rule_id), set())
        if find_owner(rule_id) != NOBODY:
            return failing
        # Several tables' rows belong to nobody; each breaks rules of its own table only.
        return {rule for rule in failing if ROW_RULES[rule].table_name == ROW_RULES[rule_id].table_name}


@pytest.fixture(scope="module")
def street(make_database: Callable[[str | None], str], _template: str) -> Street:
    url = make_database(_template)
    broken_keys = {}
    with psycopg.connect(url) as connection:
        drop_constraints(connection)
        write_good_salon(connection, NEIGHBOUR, number=0)
        for number, (rule_id, fault) in enumerate(ROW_FAULTS.items(), start=1):
            write_good_salon(connection, rule_id, number=number)
            key = KEYS[ROW_RULES[rule_id].table_name]
            broken = connection.execute(
                f"{fault.statement} returning coalesce({key}::text, '')", name_values(rule_id)
            ).fetchall()
            assert len(broken) == 1, f"the fault of {rule_id} is not one row"
            broken_keys[rule_id] = broken[0][0]
    check_standard(url, present=PRESENT, is_full=True)
    with psycopg.connect(url) as connection:
        return Street(broken_keys, _read_failing(connection), _read_set_aside(connection))


def _read_failing(connection: psycopg.Connection[Any]) -> dict[str, set[str]]:
    rows = connection.execute(
        "select tenant_id::text, array_agg(rule_id) from quality.latest_results "
        "where rows_failed > 0 and rule_id = any(%s) group by tenant_id",
        (list(ROW_RULES),),
    ).fetchall()
    return {tenant: set(rules) for tenant, rules in rows}


def _read_set_aside(connection: psycopg.Connection[Any]) -> dict[tuple[str, str, str], set[str]]:
    rows = connection.execute("select tenant_id::text, table_name, row_key, rule_ids from quality.rows_set_aside")
    return {(tenant, table, key): set(rules) for tenant, table, key, rules in rows}


def find_owner(rule_id: str) -> str:
    """Return the salon's id that the rule's bad row is filed under."""
    filed_under = ROW_FAULTS[rule_id].filed_under
    return NOBODY if filed_under == "nobody" else str(name_values(rule_id)[filed_under])


def expect_failing(rule_id: str) -> set[str]:
    """Return what has to fail where the rule's bad row is."""
    return {rule_id, *ROW_RULES[rule_id].implies}


def test_every_rule_has_its_bad_row_and_every_bad_row_its_rule() -> None:
    rules = [rule.rule_id for rule in list_rules()]
    assert set(ROW_FAULTS) == set(ROW_RULES)
    assert set(SHAPE_FAULTS) == set(rules) - set(ROW_RULES)


def test_good_salons_follow_every_rule(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        write_good_salon(connection, "one", number=1)
        write_good_salon(connection, "another", number=2)
    verdict = check_standard(workshop.url, present=PRESENT)
    assert [(result.rule_id, result.examples) for result in verdict.broken] == []
    assert (verdict.outcome, verdict.exit_code, verdict.rows_set_aside) == ("passed", 0, 0)
    assert [result.rule_id for result in verdict.results if result.rows_seen == 0] == []
    assert {result.rule_id for result in verdict.results} == {rule.rule_id for rule in list_rules()}


@pytest.mark.parametrize("rule_id", ROW_RULES)
def test_a_bad_row_breaks_its_rule_and_only_what_that_implies(street: Street, rule_id: str) -> None:
    assert street.find_failing(rule_id) == expect_failing(rule_id)


def test_nobody_is_blamed_for_the_bad_row_of_another(street: Street) -> None:
    assert set(street.failing) == {find_owner(rule_id) for rule_id in ROW_FAULTS}


@pytest.mark.parametrize("rule_id", ROW_RULES)
def test_the_bad_row_is_set_aside_exactly_when_its_rule_says_so(street: Street, rule_id: str) -> None:
    table = ROW_RULES[rule_id].table_name
    reasons = {
        failing
        for failing in expect_failing(rule_id)
        if ROW_RULES[failing].table_name == table and ROW_RULES[failing].action == "set_aside"
    }
    key = (find_owner(rule_id), table, street.broken_keys[rule_id])
    assert street.set_aside.get(key, set()) == reasons
    assert (ROW_RULES[rule_id].action == "set_aside") == bool(reasons & {rule_id})


def test_no_good_row_is_set_aside(street: Street) -> None:
    bad = {(find_owner(rule_id), ROW_RULES[rule_id].table_name, key) for rule_id, key in street.broken_keys.items()}
    assert set(street.set_aside) <= bad


def test_every_column_that_the_standard_requires_is_missed_where_it_is_empty(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        required = connection.execute(
            "select attrelid::regclass::text, attname from pg_attribute where attrelid = any(%s::regclass[]) "
            "and attnum > 0 and attnotnull and attname not in ('id', 'tenant_id')",
            ([TABLES[prefix] for prefix in ("tenants", "clients", "sessions", "messages", "wishes")],),
        ).fetchall()
        drop_constraints(connection)
        for number, (table, column) in enumerate(required):
            salon = f"{table} {column}"
            write_good_salon(connection, salon, number=number)
            owner = "id" if table == "tenants_v2" else "tenant_id"
            connection.execute(f"update {table} set {column} = null where {owner} = %s", (make_id(salon),))
    check_standard(workshop.url, present=PRESENT)
    with psycopg.connect(workshop.url) as connection:
        failing = _read_failing(connection)
    assert len(required) > 20
    assert [
        (table, column)
        for table, column in required
        if table not in {ROW_RULES[rule].table_name for rule in failing.get(str(make_id(f"{table} {column}")), ())}
    ] == []


def test_implied_rules_are_rules() -> None:
    implied = {rule_id for rule in ROW_RULES.values() for rule_id in rule.implies}
    assert implied <= set(ROW_RULES)
