"""What `agentp export` shows: progress on the way, and each file at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agentp.console import show_steps
from agentp.database import resolve_url
from agentp.settings import Settings

if TYPE_CHECKING:
    from reports.exports import ExportReport


def export_with_progress(
    screen: Console, settings: Settings, *,
    folder: Path, file_format: str, marts: Sequence[str], tenants: Sequence[str], audience: str,
) -> None:  # fmt: skip
    """Write the files, naming each mart on the way, and show what was written."""
    from reports.exports import export_marts

    with show_steps("Exporting") as steps:
        report = export_marts(
            resolve_url(settings), folder, file_format=file_format, marts=marts, tenants=tenants, audience=audience,
            report=lambda mart, _: steps.note(mart),
        )  # fmt: skip
    show_export(screen, report, folder)


def show_export(screen: Console, report: ExportReport, folder: Path) -> None:
    """Show the files with their rows, and for whom they are; no value of a row is shown."""
    table = Table("file", "rows", "columns", "left out", title="Export", box=SIMPLE, padding=(0, 1, 0, 0))
    for column in table.columns[1:3]:
        column.justify = "right"
    for file in report.files:
        table.add_row(file.file, f"{file.rows:,}", f"{len(file.columns):,}", ", ".join(file.left_out))
    screen.print(table)
    as_of = f"As of {report.as_of}." if report.as_of else "No build of all marts is known."
    whom = {
        "analyst": "For analysts: without names, phones and what people wrote.",
        "owner": "For owners: with names, phones and what people wrote; keep the files as such.",
    }[report.audience]
    screen.print(f"{as_of} {whom}", soft_wrap=True, highlight=False)
    screen.print(f"The files: {escape(str(folder))}; manifest.json says what each is.", soft_wrap=True, highlight=False)
