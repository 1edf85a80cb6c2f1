"""What `agentp digest` shows: the digests of salons as they would be sent, or how many were."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from agentp.activating import read_present
from agentp.brake import require_whole
from agentp.database import open_connection, resolve_url
from agentp.errors import AgentpError, SetupError
from agentp.pipeline import find_last_moment
from agentp.settings import Settings

if TYPE_CHECKING:
    from orchestration.subscribers import Connection, Subscriber


class DigestsFailedError(AgentpError):
    """Some salons did not get their digests; the others did."""


def send_with_report(screen: Console, settings: Settings, *, tenant: str | None, is_present: bool) -> None:
    """Send what is due now and say how many; raise where a salon did not get its own."""
    from orchestration.digests import send_digests

    if not is_present:
        raise SetupError(
            "--out and --as-of are for looking at digests, not for sending them.",
            cure="Leave --send away to look, or the others to send what is due now.",
        )
    if not settings.digests.get_secret_value().split():
        raise SetupError(
            "AGENTP_DIGESTS names nobody to send to.",
            cure="Set it to URLs as apprise writes them, such as tgram://TOKEN/{admin_chat_id}.",
        )
    target = resolve_url(settings)
    require_whole(target, settings, what="the digests")
    report = send_digests(target, settings, salon=tenant)
    if report.obstacle:
        raise SetupError(report.obstacle, cure="Run `agentp run` first.")
    screen.print(
        f"{report.sent} digests sent, {report.waiting} wait for their days to be final, {report.missed} are too old.",
        soft_wrap=True,
    )
    for line in (*report.left_out, *(str(failure) for failure in report.failures)):
        screen.print(line, markup=False, soft_wrap=True, highlight=False)
    if report.failures:
        raise DigestsFailedError(
            f"{len(report.failures)} digests met receivers that did not take them.",
            cure="The next call tries again those that nobody took; quality.digests has them all.",
        )


def show_digests(
    screen: Console, settings: Settings, *, tenant: str | None, out: Path | None, as_of: str | None
) -> None:
    """Show the last digests of who asked for them, or both of the salon that is named; send and note nothing."""
    from orchestration.subscribers import choose_salon, is_ready, read_subscribers
    from reports.digest_facts import DAYS

    present = read_present(as_of)
    with open_connection(resolve_url(settings)) as connection:
        if not is_ready(connection):
            raise SetupError("The marts that digests tell of are not built yet.", cure="Run `agentp run` first.")
        found = read_subscribers(connection, present, everybody=tenant is not None)
        if tenant is not None:
            found = choose_salon(found, tenant)
        for subscriber in found:
            for kind in DAYS if tenant is not None else subscriber.kinds:
                _show(screen, connection, subscriber, kind, out=out, as_of=as_of)
    if not found:
        screen.print(
            "No salon has asked for digests: tenants_v2.metadata.settings.digest is daily, weekly or both. "
            "--tenant shows those of any salon.", soft_wrap=True,
        )  # fmt: skip


def _show(
    screen: Console, connection: Connection, subscriber: Subscriber, kind: str, *, out: Path | None, as_of: str | None
) -> None:
    from orchestration.digests import find_last_day, read_digest_facts
    from reports.digests import compose_digest

    last = find_last_day(kind, subscriber.local.date())
    present = find_last_moment(as_of) if as_of else datetime.now(UTC)
    facts = read_digest_facts(connection, subscriber, kind, last=last, present=present)
    if facts is None:
        newest = _find_newest(connection, subscriber)
        until = f"its last final day is {newest}" if newest else "it has none"
        screen.print(
            f"[bold]{escape(subscriber.name)}[/], {kind}: not all days up to {last} are final; {until}. --as-of takes "
            "another present.", soft_wrap=True, highlight=False,
        )  # fmt: skip
        return
    digest = compose_digest(facts, is_drawn=out is not None)
    where = "" if kind in subscriber.kinds else ", which it has not asked for"
    screen.print(f"[dim]{escape(subscriber.name)}, {kind}{where}:[/]", soft_wrap=True, highlight=False)
    screen.print(f"[bold]{escape(digest.title)}[/]", soft_wrap=True, highlight=False)
    screen.print(f"{digest.text}\n", markup=False, soft_wrap=True, highlight=False)
    if out is not None and digest.picture is not None:
        out.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9-]+", "-", subscriber.slug.lower()).strip("-")[:40] or str(subscriber.tenant_id)
        path = out / f"{name}-{kind}-{last}.png"
        path.write_bytes(digest.picture)
        screen.print(f"[dim]{escape(str(path))}[/]\n", soft_wrap=True, highlight=False)


def _find_newest(connection: Connection, subscriber: Subscriber) -> date | None:
    row = connection.execute(
        "select max(day) from dashboard.metrics_dailies where tenant_id = %s and is_final", (subscriber.tenant_id,)
    ).fetchone()
    newest: date | None = row[0] if row else None
    return newest
