"""What the commands show on the way: progress for whatever takes longer than a second, and tables at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from agentp import pipeline
from agentp.database import describe_target, open_connection
from agentp.pipeline import MartChange
from agentp.settings import Settings
from systems.registry import list_systems, place_model

if TYPE_CHECKING:
    from activation.scores import ScoreReport
    from expectations.verdicts import Verdict

screen = Console()
notes = Console(stderr=True)


@dataclass
class Steps:
    """A progress line that names what is being done and, where it is known, how far it is."""

    progress: Progress
    task: TaskID

    def note(self, text: str) -> None:
        """Show what is done now."""
        self.progress.update(self.task, detail=text)

    def reach(self, done: int) -> None:
        """Show how much is done."""
        self.progress.update(self.task, completed=done, detail=f"{done:,}")

    def begin(self, name: str, total: int) -> None:
        """Show that a step of a known number began."""
        self.progress.update(self.task, total=total, detail=name)

    def finish(self, name: str) -> None:
        """Count one step as done."""
        self.progress.advance(self.task)


@contextmanager
def show_steps(title: str, *, total: int | None = None) -> Iterator[Steps]:
    """Show progress on standard error, so that standard output stays for results."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[detail]}", markup=True),
    )  # fmt: skip
    # In a cron line nobody looks, and drawing ten times a second takes the second core from who works.
    with Progress(
        *columns, console=notes, transient=True, refresh_per_second=4, disable=not notes.is_terminal
    ) as progress:
        yield Steps(progress, progress.add_task(title, total=total, detail=""))


def load_with_progress(url: str, folder: Path) -> None:
    """Load a folder of exports and show what each file brought."""
    from sources.exports import load_exports

    with show_steps("Loading") as steps, open_connection(url, reads_marts=False) as connection:
        report = load_exports(connection, folder, progress=lambda table, rows: steps.note(f"{table}: {rows:,}"))
        connection.commit()
    table = Table("table", "read", "inserted", "updated", "unchanged", title=f"Loaded {folder.name}")
    for column in table.columns[1:]:
        column.justify = "right"
    for loaded in report.tables:
        counts = (loaded.rows_read, loaded.rows_inserted, loaded.rows_updated, loaded.rows_unchanged)
        table.add_row(loaded.table, *(f"{count:,}" for count in counts))
    screen.print(table)
    for warning in report.warnings:
        screen.print(f"! {warning}", style="yellow", markup=False, soft_wrap=True)


def build_with_progress(
    settings: Settings, url: str, *, as_of: str | None, full_refresh: bool, select: str | None, accept_removals: bool
) -> list[MartChange]:
    """Build and show each model as it is made."""
    with show_steps("Building") as steps:
        return pipeline.build(
            settings, url, as_of=as_of, full_refresh=full_refresh, select=select, accept_removals=accept_removals,
            announce=lambda line: notes.print(line), on_start=steps.begin, on_finish=steps.finish,
        )  # fmt: skip


def judge_with_progress(
    settings: Settings, url: str, *, as_of: str | None, is_full: bool, docs: Path | None
) -> Verdict:
    """Check the raw tables and show each as it is looked at."""
    with show_steps("Checking") as steps:
        return pipeline.check(
            settings, url, as_of=as_of, is_full=is_full, docs=docs,
            announce=lambda line: notes.print(line), report=steps.note,
        )  # fmt: skip


def score_with_progress(url: str, *, as_of: str | None) -> tuple[ScoreReport, ...]:
    """Score and show what is being done."""
    with show_steps("Scoring") as steps:
        return pipeline.score(url, as_of=as_of, announce=steps.note)


def show_scores(reports: tuple[ScoreReport, ...]) -> None:
    """Show how many rows each model scored, how good it was on time it had not seen, and whether it is in place."""
    table = Table("scores", "rows", "n", "AUC", "Brier", "of base rate", "ECE", title="Scored", box=SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    for report in reports:
        quality = report.quality or {}
        figures = (quality.get(name) for name in ("auc", "brier", "base_brier", "ece"))
        table.add_row(
            report.kind, f"{report.rows:,}", f"{quality['n']:,}" if quality else "—",
            *("—" if figure is None else f"{figure:.3f}" for figure in figures),
        )  # fmt: skip
    screen.print(table)
    for report in reports:
        screen.print(f"{report.kind}: {report.reason}", markup=False, soft_wrap=True, highlight=False)


def show_marts(changes: list[MartChange], url: str) -> None:
    """Show what the build did to every mart, and where to look at it."""
    table = Table("mart", "rows", "inserted", "updated", "deleted", "scope", title="Built", box=SIMPLE)
    table.columns[0].no_wrap = True
    for column in table.columns[1:5]:
        column.justify = "right"
    for change in changes:
        counts = (change.rows, change.inserted, change.updated, change.deleted)
        scope = "all" if change.was_full else "changes"
        table.add_row(".".join(place_model(change.mart)), *(f"{count:,}" for count in counts), scope)
    screen.print(table)
    schemas = ", ".join(system.mart_schema for system in list_systems())
    screen.print(
        f"Look at them in schema {schemas} of {describe_target(url)}:  agentp psql",
        markup=False,
        soft_wrap=True,
    )
