"""Past numbers that changed after they were shown: which, by how much, and why."""

from __future__ import annotations

from uuid import UUID

import pandas as pd

from reports.blocks import Page
from reports.frames.columns import add_columns
from reports.pages.context import Context, make_section, make_table
from reports.tables import Column

COLUMNS = (
    Column(name="restated_at", kind="moment"), Column(name="day", kind="day"),
    Column(name="measure", kind="word", words="measure", has_filter=True), Column(name="currency", kind="currency"),
    Column(name="first_value", kind="decimal"), Column(name="previous_value", kind="decimal"),
    Column(name="value", kind="decimal"), Column(name="change", kind="decimal"),
    Column(name="reason", kind="word", words="reason", has_filter=True),
)  # fmt: skip


def build_changes(context: Context, *, salons: dict[UUID, str] | None = None) -> Page:
    """Return the page; with ``salons`` (names by id) that of the chain, which says whose number it was."""
    frame: pd.DataFrame = context.frames["restatements"]
    columns: tuple[Column, ...] = COLUMNS
    if salons is not None:
        names = [salons.get(tenant, str(tenant)) for tenant in frame["tenant_id"].tolist()]
        frame = add_columns(frame, salon=names)
        columns = (Column(name="salon", has_filter=True), *COLUMNS)
    table = make_table("changes", frame, *columns, is_searchable=True, empty="changes.none")
    return Page(
        name="changes", title=context.texts.get("page.changes.title"), lead=context.texts.get("page.changes.lead"),
        sections=(make_section(context, "changes.list", table),),
    )  # fmt: skip
