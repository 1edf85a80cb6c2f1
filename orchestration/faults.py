"""Which faults pass by themselves, so that trying again helps, and which never do (issue 5, "Retries")."""

from __future__ import annotations

import re

import psycopg

from agentp.errors import ConnectionFailedError

PASSING_STATES = (
    "08",  # the connection was lost
    "40",  # deadlock, serialization, rolled back for another's sake
    "53300",  # too many connections
    "55P03",  # a lock was not to be had
    "57P",  # the server shut down, crashed or is starting
)
"""SQLSTATEs, or how they begin, of faults that pass (Postgres' appendix A)."""

CONCURRENT_GRANT = "tuple concurrently updated"
"""Two who grant on the same relation at once: an internal error to Postgres, over the next time."""

# dbt hands on no SQLSTATE, only the server's words, which may be Russian (lc_messages).
PASSING_WORDS = re.compile(
    rf"{CONCURRENT_GRANT}|deadlock detected|could not serialize access"
    r"|server closed the connection|connection already closed"
    r"|connection to server .* failed|could not connect to server|terminating connection"
    r"|the database system is (starting up|shutting down|in recovery mode)|too many clients|remaining connection slots"
    r"|canceling statement due to lock timeout|SSL connection has been closed|connection timed out|timeout expired"
    r"|connection refused|connection reset|broken pipe"
    r"|обнаружена взаимоблокировка|не удалось сериализовать доступ|сервер неожиданно закрыл соединение"
    r"|закрытие подключения|система баз данных (запускается|останавливается|находится в режиме восстановления)"
    r"|из-за тайм-аута блокировки|слишком много клиентов|оставшиеся слоты подключений",
    re.IGNORECASE | re.DOTALL,
)
LASTING_WORDS = re.compile(
    r"password authentication failed|no password supplied|role \"[^\"]*\" does not exist"
    r"|database \"[^\"]*\" does not exist|could not translate host name|failed to resolve host|no pg_hba.conf entry",
    re.IGNORECASE,
)
"""What no second attempt mends, although it comes as a failed connection."""


def is_passing(error: BaseException | None) -> bool:
    """Whether another attempt may succeed with nothing changed: lost connections, deadlocks, serialization failures.

    Bad SQL, bad data, missing rights and wrong passwords do not pass.
    """
    while error is not None:
        text = str(error)
        if LASTING_WORDS.search(text):
            return False
        if isinstance(error, psycopg.Error) and error.sqlstate:
            return error.sqlstate.startswith(PASSING_STATES) or CONCURRENT_GRANT in text
        if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) or PASSING_WORDS.search(text):
            return True
        if isinstance(error, ConnectionFailedError) and error.__cause__ is None:
            return False
        error = error.__cause__
    return False


def find_delay(attempt: int, *, first_seconds: float) -> float:
    """Return the seconds to wait after the attempt (1, 2, …): each time twice as long, an hour at most."""
    return float(min(first_seconds * 2 ** (attempt - 1), 3600.0))
