"""Tells people of problems, once each, and once more when they are over (issue 5; receivers are apprise's URLs).

Everything sent is taken from `quality.problems`, under a lock, and marked there when a receiver has taken it. Secrets
stay here: apprise and the libraries under it write URLs with tokens to their logs, so these keep silent while
something is sent, and errors name a receiver by its place in the setting that lists it, and its schema. Digests
(orchestration/digests.py) are sent the same way.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Literal

import psycopg

from agentp.database import describe_target, open_connection
from agentp.errors import AgentpError, SetupError
from agentp.redaction import scrub
from agentp.settings import Settings
from orchestration.problems import LEDGER_LOCK, LONGEST_WAIT, Problem, find_problems, hold_lock, sync_problems
from orchestration.schema import prepare_history

TELLING_LOCK = "alerts"
"""The lock that one process holds while it tells, so that nobody is told twice."""
LISTED = 10
"""How many problems a message lists; of the others it says how many there are."""
LONGEST_LINE = 320
"""Characters of a problem in a message: ten of them, and what is around them, fit into one of Telegram's (4096)."""

_TALKATIVE = (
    "apprise", "urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.response",
    "urllib3.util.retry",
)  # fmt: skip
"""Loggers that write URLs; by name, because they come into being only while the first message is sent."""
_SENDING = Lock()
_UNTOLD = {
    False: (
        "select problem_id, title, detail, opened_at, closed_at from quality.problems "
        "where closed_at is null and told_at is null order by problem_id",
        "update quality.problems set told_at = clock_timestamp() where problem_id = any(%s)",
    ),
    True: (
        "select problem_id, title, detail, opened_at, closed_at from quality.problems "
        "where closed_at is not null and told_at is not null and end_told_at is null order by problem_id",
        "update quality.problems set end_told_at = clock_timestamp() where problem_id = any(%s)",
    ),
}
"""How to read what is to be told of and how to mark it: what opened (False), what ended (True)."""


class AlertError(AgentpError):
    """Somebody could not be told; the problems and the run that they are about are as they were."""


@dataclass(frozen=True)
class Receiver:
    """Where messages go: a URL of apprise's, which holds secrets, a name without any, and the setting that lists it."""

    name: str
    url: str = field(repr=False)
    setting: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is sent: plain text, and a PNG where there is one; receivers colour it by its ``kind``."""

    title: str
    body: str
    kind: Literal["problem", "recovery", "news"]
    picture: bytes | None = None


@dataclass(frozen=True)
class AlertReport:
    """What changed, of how many problems and ends of problems somebody was told, and what went wrong at telling."""

    opened: tuple[Problem, ...]
    closed: tuple[Problem, ...]
    told: int
    ends_told: int
    failures: tuple[AgentpError, ...]


def send_alerts(url: str, settings: Settings, *, present: datetime | None = None) -> AlertReport:
    """Look for problems, bring the ledger to what is found, and tell of what is new and of what is over.

    One message for all that ended, then one for all that opened. Each problem is told of exactly once, however many
    processes look; only where a process dies, or loses the database, between sending and marking is it told again.
    What opened and closed before anybody was told is told of neither way. Nothing counts as told that no receiver has
    taken: the next call tries again, and without receivers problems are kept until there are some. With several
    receivers it suffices that one has taken it, so that a dead one does not make the others hear it again and again.

    Faults at telling are returned, not raised: they must not hide how the run ended. A database that cannot be reached
    raises `ConnectionFailedError` (`tell_outage` tells of that); another process that holds a lock for too long,
    `AlertError`.
    """
    present = present or datetime.now(UTC)
    urls = settings.alerts.get_secret_value()
    told = {True: 0, False: 0}
    failures: list[AgentpError] = []
    try:
        with open_connection(url) as connection:
            hold_lock(connection, LEDGER_LOCK)
            prepare_history(connection)
            connection.commit()
            with connection.transaction():
                # From before finding, so that nobody writes down what was found earlier over what was found later.
                hold_lock(connection, LEDGER_LOCK)
                stale_after = timedelta(hours=settings.stale_after_hours)
                found = find_problems(connection, present=present, stale_after=stale_after)
                changes = sync_problems(connection, found, present=present)
            # Ends first: what has come back in the meantime must not be the one that is over.
            for is_end in (True, False) if urls.split() else ():
                try:
                    told[is_end], missed = _tell_untold(connection, urls, is_end=is_end, target=describe_target(url))
                    failures += missed
                except AgentpError as error:
                    failures.append(error)
    except psycopg.errors.LockNotAvailable as error:
        raise AlertError(
            f"Another process has held the ledger of problems at {describe_target(url)} for {LONGEST_WAIT}.",
            cure="Look for a hanging `agentp` in pg_stat_activity; the next run tells what this one could not.",
        ) from error
    return AlertReport(changes.opened, changes.closed, told[False], told[True], tuple(failures))


def tell(urls: str, *, title: str, body: str, is_recovery: bool) -> tuple[AgentpError, ...]:
    """Send a message to every receiver: URLs as apprise writes them, divided by white space.

    Raises when nobody has taken it: `SetupError` for a URL that is none, else `AlertError`. When somebody has,
    returns what went wrong with the others.
    """
    message = Message(title=title, body=body, kind="recovery" if is_recovery else "problem")
    return tell_receivers(name_receivers(urls, setting="AGENTP_ALERTS"), message)


def name_receivers(urls: str, *, setting: str) -> list[Receiver]:
    """Return the receivers that a setting lists, divided by white space, by names that may be shown to anybody."""
    found = urls.split()
    receivers = []
    for place, url in enumerate(found, start=1):
        schema = re.match(r"([a-z][a-z0-9+.-]{0,19}):/", url, re.IGNORECASE)
        name = f"Receiver {place} of {len(found)} in {setting} ({schema[1] if schema else 'no schema'})"
        receivers.append(Receiver(name, url, setting))
    return receivers


def tell_receivers(receivers: Sequence[Receiver], message: Message) -> tuple[AgentpError, ...]:
    """Send a message to every receiver; raise and return as `tell` does."""
    failures: list[AgentpError] = []
    for receiver in receivers:
        try:
            _send(receiver, message)
        except AgentpError as error:
            failures.append(error)
    if receivers and len(failures) == len(receivers):
        raise failures[0]
    return tuple(failures)


def tell_outage(urls: str, error: AgentpError | None, *, told: bool) -> bool:
    """Tell once that the database cannot be reached, and once that it can again; return whether it is told now.

    For when the ledger cannot be read: the caller keeps ``told`` and hands it back. ``error`` is the failure, None
    when all is well. Raises as `tell` does when nobody could be told: ``told`` is then as it was.
    """
    if not urls.split():
        return False
    if error is not None and not told:
        tell(urls, title="agentp: the database cannot be reached", body=scrub(error.message), is_recovery=False)
    elif error is None and told:
        body = "What was missed meanwhile is told separately."
        tell(urls, title="agentp: the database can be reached again", body=body, is_recovery=True)
    return error is not None


def _tell_untold(
    connection: psycopg.Connection[Any], urls: str, *, is_end: bool, target: str
) -> tuple[int, tuple[AgentpError, ...]]:
    """Tell of all that opened, or ended, and nobody was told of; return how many, and what some receivers lacked."""
    read, mark = _UNTOLD[is_end]
    with connection.transaction():
        hold_lock(connection, TELLING_LOCK)
        # Sending may take longer than a server lets transactions idle.
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        rows = connection.execute(read).fetchall()
        if not rows:
            return 0, ()
        lines = [_write_line(*row[1:]) for row in rows[:LISTED]]
        if len(rows) > LISTED:
            lines.append(f"- … and {len(rows) - LISTED} more, in quality.problems")
        title = rows[0][1] if len(rows) == 1 else f"{len(rows)} {'' if is_end else 'new '}problems"
        failures = tell(
            urls,
            title=f"agentp: {'over: ' if is_end else ''}{title}",
            body="\n".join([*lines, "", f"Database: {target}"]),
            is_recovery=is_end,
        )
        connection.execute(mark, ([row[0] for row in rows],))
    return len(rows), failures


def _write_line(title: str, detail: str, opened_at: datetime, closed_at: datetime | None) -> str:
    if closed_at is not None:
        return f"- {title}: over, {opened_at:%Y-%m-%d %H:%M} to {closed_at:%Y-%m-%d %H:%M %Z}"
    line = f"- {title}. {detail}"
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def _send(receiver: Receiver, message: Message) -> None:
    with _keep_silent() as codes:
        # Here, because it takes half a second and most runs have nothing to tell.
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
        from apprise.attachment.memory import AttachMemory
        from apprise.common import OverflowMode

        service = Apprise.instantiate(receiver.url, asset=AppriseAsset(app_id="agentp", app_desc="agentp alerts"))
        if service is None:
            raise SetupError(
                f"{receiver.name} is no URL that apprise knows.",
                cure="Write it as https://github.com/caronc/apprise/wiki has it, such as tgram://token/chat.",
            )
        if "overflow=" not in receiver.url:
            service.overflow_mode = OverflowMode.SPLIT
        sender = Apprise()
        sender.add(service)
        kinds = {"problem": NotifyType.FAILURE, "recovery": NotifyType.SUCCESS, "news": NotifyType.INFO}
        # Receivers that take no pictures leave it out.
        picture = AttachMemory(  # type: ignore[no-untyped-call]
            content=message.picture, name="digest.png", mimetype="image/png"
        ) if message.picture else None  # fmt: skip
        if not sender.notify(
            body=message.body, title=message.title, notify_type=kinds[message.kind], body_format=NotifyFormat.TEXT,
            attach=picture,
        ):  # fmt: skip
            reason = f"it answered {codes[-1]}" if codes else "it could not be reached, or refused"
            raise AlertError(
                f"{receiver.name} did not take the message: {reason}.",
                cure=f"Correct {receiver.setting} or mend the receiver; what nobody has taken is told next time.",
            )


@contextmanager
def _keep_silent() -> Iterator[list[str]]:
    """Drop what libraries log while something is sent; yield the HTTP codes of receivers' refusals that they tell of.

    One message at a time in a process, because libraries send, and log, in threads of their own.
    """
    codes: list[str] = []

    def drop(record: logging.LogRecord) -> bool:
        codes.extend(re.findall(r"\berror=(\d{3})\b", record.getMessage()))
        return False

    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    with _SENDING:
        for logger in loggers:
            logger.addFilter(drop)
        try:
            yield codes
        finally:
            for logger in loggers:
                logger.removeFilter(drop)
