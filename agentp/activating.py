"""What `agentp activate` shows: salon by salon what is written and queued, whom it leaves out and why."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agentp.project import check_as_of

if TYPE_CHECKING:
    from activation.runs import ActivationReport

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
KINDS = {"win_back": "win-back", "slot_offer": "slot offer"}
REASONS = {
    "inactive salon": "their salon is not active",
    "queued before": "queued before",
    "booked": "have a booking ahead",
    "client gone": "are no clients any more",
    "refused": "refused to be written to",
    "not due": "not due",
    "long gone": "last came too long ago",
    "written to lately": "were written to lately, or are about to be",
    "no channel": "no channel is known",
    "same person": "the same person is asked as another client",
    "same chat": "share a chat with somebody who is written to",
    "too late": "the slot begins too soon",
    "awaits turn": "somebody else has the slot's open offer",
    "has an offer": "have an open offer already",
}


def read_present(as_of: str | None) -> date:
    """Return the instant, or the day, that ``--as-of`` names; now where it names none."""
    if check_as_of(as_of) is None:
        return datetime.now(UTC)
    text = as_of or ""
    return date.fromisoformat(text) if DAY.fullmatch(text) else datetime.fromisoformat(text)


def show_activation(screen: Console, report: ActivationReport) -> None:
    """Show what a run did, or would do. No phone and no name in full: screens are looked at by many."""
    names = {salon.tenant_id: salon.name or salon.tenant_id for salon in report.outbox.salons.values()}
    memories = {tenant.tenant_id: tenant.changed for tenant in report.memories.tenants}
    queues = {(queue.tenant_id, queue.kind): queue for queue in report.outbox.queues}
    left: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for left_out in report.outbox.left_out:
        left[left_out.tenant_id][left_out.kind, left_out.reason] += left_out.count
    tenants = sorted(
        {*memories, *left, *(tenant for tenant, _ in queues)}, key=lambda tenant: names.get(tenant, tenant)
    )
    if tenants:
        title = "Activation" if report.is_applied else "Activation, dry run"
        table = Table("salon", "memories", title=title, box=SIMPLE, padding=(0, 1, 0, 0))
        for name in ("win-backs", "held out", "slot offers", "held out", "withdrawn", "expired", "left out"):
            table.add_column(name)
        for column in table.columns[1:]:
            column.justify = "right"
        for tenant in tenants:
            win_back, offer = queues.get((tenant, "win_back")), queues.get((tenant, "slot_offer"))
            both = [queue for queue in (win_back, offer) if queue]
            counts = (
                memories.get(tenant, 0),
                win_back.queued if win_back else 0, win_back.held_out if win_back else 0,
                offer.queued if offer else 0, offer.held_out if offer else 0,
                sum(queue.withdrawn for queue in both), sum(queue.expired for queue in both),
                sum(left[tenant].values()),
            )  # fmt: skip
            table.add_row(escape(names.get(tenant, tenant)), *(f"{count:,}" for count in counts))
        screen.print(table)
    for tenant in tenants:
        if left[tenant]:
            parts = (
                f"{KINDS[kind]}: {count:,} {REASONS.get(reason, reason)}"
                for (kind, reason), count in sorted(left[tenant].items(), key=lambda item: (-item[1], item[0]))
            )
            screen.print(
                f"[bold]{escape(names.get(tenant, tenant))}[/] leaves out {'; '.join(parts)}.",
                soft_wrap=True, highlight=False,
            )  # fmt: skip
    for example in report.outbox.examples:
        screen.print(f"[dim]E.g. {escape(example)}[/]", soft_wrap=True, highlight=False)
    _show_memories_left(screen, report)
    _show_end(screen, report)


def _show_memories_left(screen: Console, report: ActivationReport) -> None:
    if report.memories.left_elsewhere:
        screen.print(
            f"{report.memories.left_elsewhere:,} memories stand under another salon than their client and are left: "
            "`agentp check` names them.", soft_wrap=True,
        )  # fmt: skip
    if report.memories.left_busy:
        screen.print(
            f"{report.memories.left_busy:,} memories were being written by the bot; the next run comes back to them.",
            soft_wrap=True,
        )


def _show_end(screen: Console, report: ActivationReport) -> None:
    queued = sum(queue.queued for queue in report.outbox.queues)
    held_out = sum(queue.held_out for queue in report.outbox.queues)
    ended = sum(queue.withdrawn + queue.expired for queue in report.outbox.queues)
    changed = report.memories.changed
    if not (queued or held_out or ended or changed):
        screen.print("There is nothing to write and nobody to write to.")
    elif report.is_applied:
        screen.print(
            f"{changed:,} memories written, {queued:,} messages queued in dashboard.outbox, {held_out:,} candidates "
            "held out to measure by: dashboard.activation_uplift.", soft_wrap=True,
        )  # fmt: skip
    else:
        screen.print(
            f"{changed:,} memories would be written, {queued:,} messages queued, {held_out:,} candidates held out. "
            "Nothing was changed: --apply does it.", soft_wrap=True,
        )  # fmt: skip
