"""Errors that are written for the person who reads them: what is wrong, and the cure."""

from __future__ import annotations

from typing import Any

FULL_DISK = "No space left on device"
"""What the system says of a full disk, to Postgres and Python alike (ENOSPC; SQLSTATE 53100)."""
FULL_DISK_CURE = (
    "Free some space on the disk of the database (or of AGENTP_HOME), then run the same command again: "
    "nothing is half done."
)
HELD_CURE = (
    "Somebody's open transaction holds rows or tables that this needs; nothing was half done. Let it end, or end it "
    "(select pid, usename, application_name, xact_start from pg_stat_activity order by xact_start), and run this again."
)
"""What helps where a lock was not to be had in time, and nobody says whose it is."""


class AgentpError(Exception):
    """A failure that the user can mend.

    ``message`` says what is wrong, where and with which value; ``cure`` says what to do about it.
    ``exit_code`` is what the command line returns: 1 when the work failed, 2 when it could not start.
    """

    exit_code = 1

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = FULL_DISK_CURE if FULL_DISK in message else cure

    def __str__(self) -> str:
        return f"{self.message} {self.cure}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors come over from other processes as they were."""
        return _restore, (type(self), self.__dict__)


def _restore(kind: type[AgentpError], attributes: dict[str, Any]) -> AgentpError:
    error = kind.__new__(kind, attributes["message"])
    error.__dict__.update(attributes)
    return error


class SetupError(AgentpError):
    """The command could not start: settings, server, rights or the shape of the raw tables."""

    exit_code = 2


class ServerError(SetupError):
    """The embedded Postgres could not be started or stopped."""


class ConnectionFailedError(SetupError):
    """The database could not be reached or refused us."""


class RawTablesError(SetupError):
    """A raw table or one of its columns is missing."""


class LoadError(AgentpError):
    """An export could not be loaded; the database is as it was before."""


class CheckStoppedError(AgentpError):
    """The raw tables have a shape that nothing right can be built of; every mart is as it was."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        super().__init__(
            f"The build did not begin: {'; '.join(faults[:3])}{more}.",
            cure="Restore what docs/data_standard.md declares; what was lost is not made anew by a run.",
        )


class BuildError(AgentpError):
    """dbt could not build; every mart holds either its old rows or its new ones."""
