"""A session that is handed on between two transactions is known, whatever the pooler says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from agentp import database, sessions
from agentp.errors import ConnectionFailedError
from tests.support.marts import Workshop


class Pooled:
    """A connection through a pooler: it has told the client a number of its own, and serves it by these processes."""

    def __init__(self, told: int, *backends: int) -> None:
        self.info = SimpleNamespace(backend_pid=told)
        self.backends: Iterator[int] = iter(backends)
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def _served_by_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "ask_backend", lambda connection: next(connection.backends))
    monkeypatch.setattr(sessions, "_begin_in_time", lambda connection: next(connection.backends))


@pytest.mark.parametrize(
    ("first", "second", "is_shared"),
    [
        # A server alone tells the process that serves; nobody else need be asked.
        (Pooled(11, 11), None, False),
        # In session mode each keeps its own; one that is given none lets it wait.
        (Pooled(77, 11, 11), Pooled(78, 12), False),
        (Pooled(77, 11, 11), Pooled(78, None), False),  # type: ignore[arg-type]
        # In transaction mode the second is given what the first let go, or the first another where it was taken.
        (Pooled(77, 11), Pooled(78, 11), True),
        (Pooled(77, 11, 12), Pooled(78, 13), True),
        (Pooled(77, 11, 12), Pooled(78, None), True),  # type: ignore[arg-type]
    ],
)
def test_a_session_is_shared_where_another_has_it_between_two_transactions(
    first: Any, second: Any, is_shared: bool
) -> None:
    assert sessions.is_shared(first, lambda: second) is is_shared
    assert second is None or second.is_closed


def test_a_shared_session_is_refused_with_the_cure_and_a_session_of_ones_own_is_asked_for_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def is_shared(connection: psycopg.Connection[Any], connect: Any) -> bool:
        asked.append(1)
        return len(asked) == 1

    monkeypatch.setattr(database, "is_shared", is_shared)
    monkeypatch.setattr(database, "_OWN_SESSIONS", set())
    refused = pytest.raises(
        ConnectionFailedError, match=r"every transaction another session.*port 5432 instead of 6543"
    )
    with refused, database.open_connection(workshop.url):
        pass
    for _ in range(2):
        with database.open_connection(workshop.url):
            pass
    assert len(asked) == 2
