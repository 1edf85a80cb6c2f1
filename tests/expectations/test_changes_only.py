"""A check of what changed leaves what a check of everything would leave (issue 3, large tables)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from expectations.gate import check_standard
from expectations.verdicts import Verdict
from tests.expectations.bad_rows import TOMORROW
from tests.expectations.changes import Town, draw_changes, name_start
from tests.expectations.good_salon import MET, PRESENT, name_rows, write_good_salon
from tests.expectations.loosening import drop_constraints
from tests.expectations.standings import describe_differences, read_standings
from tests.expectations.turns import TURNS
from tests.support.marts import Workshop
from tests.support.options import Examples

Standings = dict[str, set[tuple[Any, ...]]]
LATER = PRESENT + timedelta(days=2)


@dataclass(frozen=True)
class Turned:
    """What stood before all turns at once, after a check of the changes, and after one of everything."""

    verdict: Verdict
    before: Standings
    after: Standings
    full: Standings


@pytest.fixture(scope="module")
def turned(make_database: Callable[[str | None], str], _template: str) -> Turned:
    url = make_database(_template)
    with psycopg.connect(url) as connection:
        drop_constraints(connection)
        for number, (name, turn) in enumerate(TURNS.items()):
            write_good_salon(connection, name, number=2 * number)
            write_good_salon(connection, name_next(name), number=2 * number + 1)
            for statement in turn.before:
                assert connection.execute(statement, name_all(name)).rowcount > 0, name
    check_standard(url, present=PRESENT, is_full=True)
    before = read_standings(url)
    with psycopg.connect(url) as connection:
        for name, turn in TURNS.items():
            for statement in turn.change:
                assert connection.execute(statement, name_all(name)).rowcount > 0, name
    verdict = check_standard(url, present=LATER)
    after = read_standings(url)
    check_standard(url, present=LATER, is_full=True)
    return Turned(verdict, before, after, read_standings(url))


def name_next(name: str) -> str:
    return f"next to where {name}"


def name_all(name: str) -> dict[str, Any]:
    """Return the values that the turn's statements may name."""
    neighbours = {f"neighbour_{key}": value for key, value in name_rows(name_next(name)).items()}
    return {**name_rows(name), **neighbours, "met": MET, "tomorrow": TOMORROW}


def select_salons(standings: Standings, name: str) -> Standings:
    """Return what stands of the turn's salon and the one next door."""
    salons = {name_rows(salon)["tenant"] for salon in (name, name_next(name))}
    return {table: {row for row in rows if row[0] in salons} for table, rows in standings.items()}


@pytest.mark.parametrize("name", TURNS)
def test_a_check_of_changes_sees_that(turned: Turned, name: str) -> None:
    assert not turned.verdict.is_full
    before, after, full = (select_salons(rows, name) for rows in (turned.before, turned.after, turned.full))
    salon = name_rows(name)["tenant"]
    assert {row[2] for row in after["client_failures"] if row[0] == salon} == TURNS[name].failing
    assert describe_differences(after, full) == []
    assert before != after, "nothing turned"


def test_a_check_of_changes_looks_at_few_rows(workshop: Workshop) -> None:
    with psycopg.connect(workshop.url) as connection:
        for number in range(30):
            write_good_salon(connection, f"salon {number}", number=number)
    everything = check_standard(workshop.url, present=PRESENT)
    workshop.execute("update clients_v2 set full_name = '' where id = %s", (name_rows("salon 7")["anna"],))
    changes = check_standard(workshop.url, present=PRESENT)
    assert (everything.is_full, changes.is_full) == (True, False)
    assert [(result.rule_id, result.rows_failed, result.rows_seen) for result in changes.broken] == [
        ("clients.full_name_present", 1, 90)
    ]
    # All 30 salons, and Anna with her session, four messages, wish and memory.
    assert changes.rows_looked_at == 30 + 8


@pytest.mark.parametrize(
    ("spoil", "change"),
    [
        # What a message is changes a session's counts, and no client leads from the one to the other.
        ("update conversation_sessions_v2 set user_id = null", "update recent_history_v2 set role = 'system'"),
        # When a session was changes whether a message lies inside.
        ("update recent_history_v2 set tenant_id = null", "update conversation_sessions_v2 set ended_at = started_at"),
    ],
)
def test_as_long_as_rows_are_nobodys_every_row_is_looked_at(workshop: Workshop, spoil: str, change: str) -> None:
    values = name_rows("salon")

    def check_after(*changes: str) -> bool:
        for statement in changes:
            workshop.execute(f"{statement} where session_id = %(done)s", values)
        return check_standard(workshop.url, present=PRESENT).is_full

    with psycopg.connect(workshop.url) as connection:
        drop_constraints(connection)
        write_good_salon(connection, "salon")
    assert check_after(spoil)
    assert check_after(change)
    assert check_after(
        "update conversation_sessions_v2 set user_id = %(anna)s", "update recent_history_v2 set tenant_id = %(tenant)s"
    )
    assert not check_after()


def make_changes(url: str, changes: list[tuple[str, dict[str, Any]]]) -> None:
    with psycopg.connect(url) as connection:
        for statement, values in changes:
            connection.execute(statement, values)


@pytest.mark.parametrize("nobodys", [0.0, 0.05])
def test_after_any_changes_everything_stands_as_after_a_full_check(
    workshop: Workshop, examples: Examples, nobodys: float
) -> None:
    # A check is a whole one after a salon came or went, and as long as rows are nobody's.
    random, present, is_calm = Random(f"{examples.seed} {nobodys}"), PRESENT, not nobodys
    towns = [Town(number) for number in range(examples.count if is_calm else examples.count // 20)]
    with psycopg.connect(workshop.url) as connection:
        drop_constraints(connection)
    make_changes(workshop.url, [change for town in towns for change in name_start(town)])
    make_changes(workshop.url, [change for town in towns for change in draw_changes(random, 40, town)])
    check_standard(workshop.url, present=present, is_full=True)
    seen = set()
    for _ in range(3):
        make_changes(
            workshop.url,
            [
                change
                for town in random.sample(towns, k=max(1, len(towns) * 3 // 4))
                for change in draw_changes(
                    random, random.choice((1, 2, 4, 8)), town,
                    nobodys=random.choice((0, nobodys)), with_salons=not is_calm,
                )
            ],
        )  # fmt: skip
        present += timedelta(minutes=random.choice((0, 0, 90)))
        seen.add(check_standard(workshop.url, present=present).is_full)
        found = read_standings(workshop.url)
        check_standard(workshop.url, present=present, is_full=True)
        assert describe_differences(found, read_standings(workshop.url)) == []
    assert not is_calm or seen == {False}
