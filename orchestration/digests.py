"""Sends salons their digests, each once (issue 6): from 09:00 local time, for days that are final, by apprise.

`quality.digests` is the ledger. A digest's row is locked while it is sent and marked before the lock goes, so that
nobody gets it twice, however many processes send; only where a process dies, or loses the database, between sending
and marking is it sent again. What could not be sent is tried again by the next call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agentp.database import open_connection
from agentp.errors import AgentpError
from agentp.redaction import scrub
from agentp.settings import Settings
from orchestration.alerts import Message, Receiver, name_receivers, tell_receivers
from orchestration.schema import prepare_history
from orchestration.subscribers import (
    Connection,
    Subscriber,
    address_receivers,
    choose_salon,
    is_ready,
    read_subscribers,
)
from reports.digest_facts import DAYS, Facts
from reports.digest_reading import HOUR, read_facts
from sources.sight import require_sight

OLDEST_DAYS = 2
"""A digest of days that ended longer ago is no news any more: after an outage it is filed as missed."""
LONGEST_OUTAGE_DAYS = 14
"""So far back the ledger is looked at: whoever switched digests off for longer is new, and has missed nothing."""

_READ_LEDGER = """
select day, outcome from quality.digests where tenant_id = %s and kind = %s and day >= %s order by day
"""
_FILE_MISSED = """
insert into quality.digests (tenant_id, kind, day, outcome) values (%s, %s, %s, 'missed')
on conflict (tenant_id, kind, day) do update set outcome = 'missed' where digests.outcome in ('taken', 'failed')
"""
_TAKE = "insert into quality.digests (tenant_id, kind, day) values (%s, %s, %s) on conflict do nothing"
# Who finds it locked leaves it to whoever is sending it.
_LOCK = """
select 1 from quality.digests
where tenant_id = %s and kind = %s and day = %s and outcome in ('taken', 'failed') for update skip locked
"""
_MARK_SENT = """
update quality.digests set outcome = 'sent', sent_at = clock_timestamp(), error = null
where tenant_id = %s and kind = %s and day = %s
"""
_MARK_FAILED = """
update quality.digests set outcome = 'failed', error = %s where tenant_id = %s and kind = %s and day = %s
"""


class DigestError(AgentpError):
    """One salon's digest could not be sent; the others', and what was sent before, are not touched by it."""


@dataclass(frozen=True)
class Due:
    """Days whose digests are to be sent now, and those that are too old to be."""

    days: tuple[date, ...] = ()
    missed: tuple[date, ...] = ()


@dataclass(frozen=True)
class DigestReport:
    """How many digests were sent and missed, how many wait for their days to be final, and what went wrong.

    ``left_out`` names receivers that a salon lacks the address for; ``obstacle`` is why nothing was looked at.
    """

    sent: int = 0
    missed: int = 0
    waiting: int = 0
    left_out: tuple[str, ...] = ()
    failures: tuple[AgentpError, ...] = ()
    obstacle: str | None = None

    def __add__(self, other: DigestReport) -> DigestReport:
        return DigestReport(
            self.sent + other.sent, self.missed + other.missed, self.waiting + other.waiting,
            self.left_out + other.left_out, self.failures + other.failures, self.obstacle or other.obstacle,
        )  # fmt: skip


def send_digests(
    url: str, settings: Settings, *, present: datetime | None = None, salon: str | None = None
) -> DigestReport:
    """Send every active salon that asked for it (or one of them) what is due at the moment ``present``.

    With several receivers it suffices that one has taken it, as with alerts. What goes wrong with one salon is
    returned, kept in the ledger, and keeps nothing from the others; a database that cannot be reached raises
    `ConnectionFailedError`.
    """
    present = present or datetime.now(UTC)
    receivers = name_receivers(settings.digests.get_secret_value(), setting="AGENTP_DIGESTS")
    if not receivers:
        return DigestReport(obstacle="AGENTP_DIGESTS names nobody to send to.")
    report = DigestReport()
    with open_connection(url, autocommit=True) as connection:
        if not is_ready(connection):
            return DigestReport(obstacle="The marts that digests tell of are not built yet.")
        require_sight(connection, through_views=True)
        prepare_history(connection)
        subscribers = read_subscribers(connection, present)
        for subscriber in choose_salon(subscribers, salon) if salon else subscribers:
            for kind in subscriber.kinds:
                report += _send_kind(connection, receivers, subscriber, kind, present=present)
    return report


def find_last_day(kind: str, today: date) -> date:
    """Return the last day that a digest can be about: yesterday, or the Sunday before today."""
    return today - timedelta(days=1 if kind == "daily" else today.isoweekday())


def find_due(kind: str, *, local: datetime, ledger: Mapping[date, str]) -> Due:
    """Return what is due at a salon's local time, given the outcomes of its digests of the last weeks by last day.

    Before 09:00 nothing is. The newest is due, a weekly one only on a Monday where there was none before, and so is
    what the ledger lacks between its first row and that: sent up to two days later, missed after that.
    """
    if local.hour < HOUR:
        return Due()
    today = local.date()
    newest = find_last_day(kind, today)
    first = min(ledger, default=newest if kind == "daily" or today.isoweekday() == 1 else newest + timedelta(days=1))
    days: list[date] = []
    missed: list[date] = []
    day = newest
    while day >= first:
        if ledger.get(day, "") not in ("sent", "missed"):
            (days if (today - day).days <= OLDEST_DAYS else missed).append(day)
        day -= timedelta(days=DAYS[kind])
    return Due(tuple(reversed(days)), tuple(reversed(missed)))


def read_digest_facts(
    connection: Connection, subscriber: Subscriber, kind: str, *, last: date, present: datetime
) -> Facts | None:
    """Return what the digest of the days up to ``last`` tells the salon; none where they are not final."""
    return read_facts(
        connection, kind=kind, tenant_id=subscriber.tenant_id, salon=subscriber.name, language=subscriber.language,
        timezone=subscriber.timezone, last=last, today=subscriber.local.date(), present=present,
    )  # fmt: skip


def _send_kind(
    connection: Connection, receivers: Sequence[Receiver], subscriber: Subscriber, kind: str, *, present: datetime
) -> DigestReport:
    horizon = subscriber.local.date() - timedelta(days=LONGEST_OUTAGE_DAYS)
    rows = connection.execute(_READ_LEDGER, (subscriber.tenant_id, kind, horizon)).fetchall()
    due = find_due(kind, local=subscriber.local, ledger=dict(rows))
    for day in due.missed:
        connection.execute(_FILE_MISSED, (subscriber.tenant_id, kind, day))
    report = DigestReport(missed=len(due.missed))
    addressed, left_out = address_receivers(receivers, subscriber)
    if due.days:
        report += DigestReport(left_out=tuple(left_out))
    for day in due.days if addressed else ():
        facts = read_digest_facts(connection, subscriber, kind, last=day, present=present)
        if facts is None:
            report += DigestReport(waiting=1)
            continue
        connection.execute(_TAKE, (subscriber.tenant_id, kind, day))
        report += _send_taken(connection, addressed, subscriber, facts)
    return report


def _send_taken(
    connection: Connection, receivers: Sequence[Receiver], subscriber: Subscriber, facts: Facts
) -> DigestReport:
    """Send what the ledger has as taken, unless it was sent meanwhile or somebody else is sending it."""
    key = (subscriber.tenant_id, facts.kind, facts.span.last)
    with connection.transaction():
        if connection.execute(_LOCK, key).fetchone() is None:
            return DigestReport()
        # Sending may take longer than a server lets transactions idle.
        connection.execute("set local idle_in_transaction_session_timeout = 0")
        try:
            failures = _send_facts(receivers, subscriber, facts)
        except AgentpError as error:
            connection.execute(_MARK_FAILED, (scrub(error.message), *key))
            return DigestReport(failures=(error,))
        connection.execute(_MARK_SENT, key)
    return DigestReport(sent=1, failures=failures)


def _send_facts(receivers: Sequence[Receiver], subscriber: Subscriber, facts: Facts) -> tuple[AgentpError, ...]:
    # Here, because composing loads half the reports and most hours have nothing to send.
    from reports.digests import compose_digest

    try:
        digest = compose_digest(facts)
    except Exception as error:
        # Whatever is odd about one salon's figures must not keep the others from theirs.
        raise DigestError(
            f"The {facts.kind} digest of {subscriber.name} could not be composed: {type(error).__name__}.",
            cure=f"`agentp digest --tenant {subscriber.slug or subscriber.tenant_id}` shows where.",
        ) from error
    message = Message(title=digest.title, body=digest.text, kind="news", picture=digest.picture)
    try:
        return tell_receivers(receivers, message)
    except AgentpError as error:
        raise DigestError(f"{subscriber.name}: {error.message}", cure=error.cure) from error
