"""Pages into files: HTML by Jinja, tables as CSV and XLSX."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.assets import Assets
from reports.blocks import Chart, Page
from reports.formats import Formats
from reports.selections import MOST_ROWS
from reports.spreadsheets import write_csv, write_workbook
from reports.tables import NUMERIC, Cell, Table, get_title, make_sheet, write_cells
from reports.texts import Texts

TEMPLATES = Path(__file__).parent / "templates"
DIALOGS_A_FILE = 200
"""Sessions whose dialogs share a file that the browser loads when one of them is opened."""
WORKBOOK = "tables.xlsx"
"""All tables of a salon, a tab each."""
SIGNS = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""Signs that would end a script in a page, or a line in it; JSON reads them back the same."""


@lru_cache
def get_environment() -> Environment:
    """Return Jinja as pages use it: everything is escaped, and an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip


def render_page(
    page: Page, *, texts: Texts, formats: Formats, assets: Assets, root: str, heading: str, stamp: str,
    menu: Sequence[tuple[str, str]], languages: Sequence[tuple[str, str]], chain_link: str | None, is_veiled: bool,
    has_dialogs: bool = False, links: dict[UUID, str] | None = None,
) -> str:  # fmt: skip
    """Return the page as HTML. ``links`` lead from the first cell of a row to the page of what it names."""
    tables = page.list_tables()
    return get_environment().get_template("page.html").render(
        page=page, t=texts, assets=assets, root=root, heading=heading, stamp=stamp, menu=menu, languages=languages,
        chain_link=chain_link, is_veiled=is_veiled, has_charts=_has_charts(page),
        tables={
            table.name: _show(table, texts, formats, has_dialogs=has_dialogs, links=links)
            for table in tables
        },
        files=[(table.name, texts.get(f"table.{table.name}.title"), f"{table.name}.csv") for table in tables],
        workbook=WORKBOOK,
    )  # fmt: skip


def write_files(pages: Sequence[Page], folder: Path, *, texts: Texts) -> None:
    """Write the pages' tables: each as CSV with the marts' names, all as one workbook with titles for people."""
    tables = [table for page in pages for table in page.list_tables()]
    for table in tables:
        write_csv(folder / f"{table.name}.csv", make_sheet(table))
    write_workbook(folder / WORKBOOK, [make_sheet(table, texts) for table in tables])


def write_json(value: Any) -> str:
    """Return JSON that may stand in a script of a page, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, escaped in SIGNS.items():
        text = text.replace(sign, escaped)
    return text


def _show(
    table: Table, texts: Texts, formats: Formats, *, has_dialogs: bool, links: dict[UUID, str] | None
) -> dict[str, Any]:
    """What the template draws of a table; values of cells are text, for the template to escape."""
    columns = table.on_page
    shown = [column for column in columns if not column.is_searched]
    cells = write_cells(table, texts, formats)
    found: dict[str, Any] = {
        "title": texts.get(f"table.{table.name}.title"), "count": len(cells),
        "columns": [
            {
                "title": get_title(table, column.name, texts),
                "class": _class_of(column.kind), "has_filter": column.has_filter,
            }
            for column in shown
        ],
        "limit": texts.get("table.limited", n=formats.write_number(MOST_ROWS)) if len(cells) >= MOST_ROWS else None,
        "rows": "", "json": "",
    }  # fmt: skip
    if table.is_long:
        found["columns"] += [
            {"title": column.name, "class": "", "has_filter": False} for column in columns[len(shown) :]
        ]
        found["json"] = Markup(write_json(_pack(table, cells, has_dialogs=has_dialogs)))
    else:
        targets = table.frame[table.opens].map(links.get).tolist() if table.opens and links is not None else []
        labels = [column["title"] if table.has_cards else "" for column in found["columns"]]
        classes = [column["class"] for column in found["columns"]]
        found["rows"] = Markup("".join(_draw_rows(cells, classes, targets, labels)))
    return found


def _draw_rows(
    cells: list[list[Cell]], classes: list[str], targets: list[str | None], labels: list[str]
) -> Iterator[str]:
    """Rows as HTML, all that is shown escaped; a loop of a template takes three times as long."""
    opened = [
        (f'<td class="{name}"' if name else "<td") + (f' data-label="{escape(label)}"' if label else "")
        for name, label in zip(classes, labels, strict=True)
    ]
    for number, row in enumerate(cells):
        yield "<tr>"
        for place, (start, cell) in enumerate(zip(opened, row, strict=True)):
            order = "" if cell.order is None else f' data-order="{escape(str(cell.order))}"'
            text = escape(cell.text)
            if cell.search is not None:
                order += f' data-search="{escape(f"{cell.text} {cell.search}")}"'
            if cell.href:
                text = f'<a href="{escape(cell.href)}">{text}</a>'
            if place == 0 and targets and targets[number]:
                text = f'<a href="{escape(str(targets[number]))}">{text}</a>'
            yield f"{start}{order}>{text}</td>"
        yield "</tr>"


def _pack(table: Table, cells: list[list[Cell]], *, has_dialogs: bool) -> dict[str, Any]:
    """A long table as data: a cell is what is shown, or that, what it is sorted by and, if to anything, leads to."""
    columns = table.on_page
    return {
        "rows": [[_pack_cell(cell) for cell in row] for row in cells],
        "names": [column.name for column in columns],
        "classes": [_class_of(column.kind) for column in columns],
        "hidden": [index for index, column in enumerate(columns) if column.is_searched],
        "dialogs": DIALOGS_A_FILE if has_dialogs and table.opens else None,
    }


def _pack_cell(cell: Cell) -> str | list[str | float]:
    order = cell.text if cell.order is None else cell.order
    if cell.href:
        return [cell.text, order, cell.href]
    return cell.text if cell.order is None else [cell.text, order]


def _class_of(kind: str) -> str:
    if kind in NUMERIC:
        return "number"
    return {"name": "who", "phone": "phone", "day": "when", "moment": "when", "month": "when"}.get(kind, "")


def _has_charts(page: Page) -> bool:
    return any(isinstance(block, Chart) for section in page.sections for block in section.blocks)
