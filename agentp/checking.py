"""What `agentp check` and `agentp repair` show: the rules that fail, and what a repair does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from expectations.verdicts import Verdict
    from systems.agent_p.repairs import RepairReport

MARKS = {"critical": "[bold red]critical[/]", "warning": "[yellow]warning[/]"}
OUTCOMES = {
    "passed": "[green]The data standard is met.[/]",
    "warned": "[yellow]Only warnings fail.[/]",
    "failed": "[red]Critical rules fail.[/]",
    "stopped": "[bold red]Nothing right can be built of these tables:[/]",
}
SHOWN = 8
"""How many unusual days or silences are told one by one."""


def show_verdict(screen: Console, verdict: Verdict, *, language: str = "en") -> None:
    """Show every rule that something fails, with counts, a few keys, and what to see to."""
    if verdict.broken:
        table = Table("rule", "", "failed", "of", "salons", title="The data standard", box=SIMPLE, padding=(0, 1, 0, 0))
        table.columns[0].no_wrap = True
        for column in table.columns[2:]:
            column.justify = "right"
            column.no_wrap = True
        for result in verdict.broken:
            counts = (result.rows_failed, result.rows_seen, result.tenants_failed)
            table.add_row(result.rule_id, MARKS[result.severity], *(f"{count:,}" for count in counts))
        screen.print(table)
        for result in verdict.broken:
            action = " Set aside until repaired." if result.action == "set_aside" else ""
            examples = f" E.g. {', '.join(result.examples[:3])}." if result.examples else ""
            screen.print(
                f"[bold]{result.rule_id}[/]: {escape(result.meaning[language])}{action}[dim]{escape(examples)}[/]",
                highlight=False,
            )
        screen.print()
    looked = "every row" if verdict.is_full else "what changed"
    screen.print(
        f"{OUTCOMES[verdict.outcome]} Run {verdict.run_id} looked at {looked} ({verdict.rows_looked_at:,} rows); "
        f"{verdict.rows_set_aside:,} rows are set aside. Details: quality.rule_results, quality.rows_set_aside.",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    if verdict.empty_tables:
        screen.print(f"Tables without a row: {', '.join(verdict.empty_tables)}.", soft_wrap=True, highlight=False)
    for fault in verdict.stopping:
        screen.print(f"  {escape(fault)}", soft_wrap=True, highlight=False)
    for finding in verdict.unusual[:SHOWN]:
        screen.print(f"[yellow]![/] {escape(finding.describe())}", soft_wrap=True, highlight=False)
    if len(verdict.unusual) > SHOWN:
        screen.print(f"… and {len(verdict.unusual) - SHOWN} more that are unusual: quality.volumes.")


def show_repair(screen: Console, report: RepairReport) -> None:
    """Show what a repair of sessions did, or would do, salon by salon."""
    if report.tenants:
        table = Table("salon", "messages", "sessions", title="Sessions written back to messages", box=SIMPLE)
        table.columns[1].justify = table.columns[2].justify = "right"
        for tenant in report.tenants:
            table.add_row(
                escape(tenant.tenant_name or tenant.tenant_id), f"{tenant.messages:,}", f"{tenant.sessions:,}"
            )
        screen.print(table)
    if report.left_changed:
        screen.print(
            f"{report.left_changed:,} messages are left: their clients changed since the last build. "
            "Run `agentp build`, then repair again.", soft_wrap=True,
        )  # fmt: skip
    if report.unarchived_messages:
        screen.print(
            f"{report.unarchived_messages:,} messages in {report.unarchived_dialogues:,} dialogues lie in no archived "
            "session: the bot never archived those, so that there is nothing to point at.", soft_wrap=True,
        )  # fmt: skip
    if report.repair_id is not None and report.tenants:
        screen.print(
            f"{report.messages:,} messages have their session now (repair {report.repair_id}). "
            f"Take it back: agentp repair sessions --undo {report.repair_id}", soft_wrap=True,
        )  # fmt: skip
    else:
        screen.print(
            f"{report.messages:,} messages would get their session. Nothing was changed: --apply does it."
            if report.messages else "There is nothing to repair.", soft_wrap=True,
        )  # fmt: skip
