"""A check that reads the bots' tables part by part finds what one look at all finds (issue 7, bounded batches)."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import psycopg
import pytest

from expectations.gate import check_standard
from expectations.passes import Look, split_look
from tests.expectations.bad_rows import NEIGHBOUR, ROW_FAULTS, name_values
from tests.expectations.good_salon import PRESENT, write_good_salon
from tests.expectations.loosening import drop_constraints
from tests.expectations.standings import describe_differences, read_standings
from tests.support.marts import Workshop

ANYBODY = UUID(int=2**128 - 1)


@pytest.fixture
def broken(workshop: Workshop) -> Workshop:
    """Salons with a bad row for every rule."""
    with psycopg.connect(workshop.url) as connection:
        drop_constraints(connection)
        write_good_salon(connection, NEIGHBOUR, number=0)
        for number, (rule_id, fault) in enumerate(ROW_FAULTS.items(), start=1):
            write_good_salon(connection, rule_id, number=number)
            connection.execute(fault.statement.encode(), name_values(rule_id))
    return workshop


def split(workshop: Workshop, rows_each: int) -> list[UUID]:
    found = workshop.execute(
        "select end_id from quality.split_clients('public.recent_history_v2', %s) as end_id", [rows_each]
    )
    return [row["end_id"] for row in found]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """In how many parts each table was looked at last."""
    seen: dict[str, int] = {}

    def note(look: Look, ends: list[UUID]) -> list[Look]:
        looks = split_look(look, ends)
        seen[look.inspection.table] = len(looks)
        return looks

    monkeypatch.setattr("expectations.looks.split_look", note)
    return seen


def test_parts_find_what_one_look_finds(
    broken: Workshop, parts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.execute("create index on conversation_sessions_v2 (session_id)")
    at_once = check_standard(broken.url, present=PRESENT, is_full=True)
    wanted = read_standings(broken.url)
    for rows_each in (1, 7):
        monkeypatch.setenv("AGENTP_BATCH_MESSAGES", str(rows_each))
        in_parts = check_standard(broken.url, present=PRESENT, is_full=True)
        assert describe_differences(read_standings(broken.url), wanted) == []
        assert (in_parts.results, in_parts.rows_looked_at) == (at_once.results, at_once.rows_looked_at)
        assert min(parts.pop("recent_history_v2"), parts.pop("conversation_sessions_v2")) > 10
        assert set(parts.values()) == {1}


def test_what_no_index_finds_the_like_of_is_read_at_once(
    broken: Workshop, parts: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "7")
    check_standard(broken.url, present=PRESENT, is_full=True)
    assert parts["conversation_sessions_v2"] == 1
    assert parts["recent_history_v2"] > 10


def test_rows_of_no_client_and_of_the_first_that_can_be_are_told_of_together(
    broken: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    [salon] = broken.execute("select id from tenants_v2 order by id limit 1")
    for client in (None, UUID(int=0)):
        broken.execute(
            "insert into recent_history_v2 (tenant_id, user_id, role, channel, message) "
            "values (%s, %s, 'user', 'telegram', 'text')",
            [salon["id"], client],
        )
    at_once = check_standard(broken.url, present=PRESENT, is_full=True)
    monkeypatch.setenv("AGENTP_BATCH_MESSAGES", "7")
    in_parts = check_standard(broken.url, present=PRESENT, is_full=True)
    assert (in_parts.results, in_parts.rows_looked_at) == (at_once.results, at_once.rows_looked_at)


@pytest.mark.parametrize("rows_each", [1, 2, 5, 1000])
def test_a_part_holds_so_many_messages_and_whole_clients(broken: Workshop, rows_each: int) -> None:
    check_standard(broken.url, present=PRESENT)
    clients = [
        row["user_id"] for row in broken.execute("select user_id from recent_history_v2 where user_id is not null")
    ]
    ends = split(broken, rows_each)
    assert ends == sorted(set(ends))
    parts = Counter(next((end for end in ends if client <= end), ANYBODY) for client in clients)
    most = max(Counter(clients).values())
    assert max(parts.values()) < rows_each + most
    assert sum(parts.values()) == len(clients)
    assert (len(parts) == 1) == (rows_each >= len(clients))


def test_without_an_index_nothing_is_split(broken: Workshop) -> None:
    check_standard(broken.url, present=PRESENT)
    broken.execute("drop index agentp_history_client")
    assert split(broken, 1) == []
