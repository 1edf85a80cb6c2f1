"""Golden frames of every page: `python -m tests.reports.golden` writes them anew; the difference is the review.

What stands in `golden/` is what the pages said when somebody last looked. The figures are not right because they stand
there: tests/reports/test_frames_*.py and test_pages.py add them up by hand.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from reports.blocks import Actions, Cards, Chart, Line, Page, Section, Split
from reports.cells import is_missing
from reports.tables import make_sheet
from reports.texts import read_texts
from tests.reports.editions import EDITIONS, PAGES, Site, build_page, name_edition

FOLDER = Path(__file__).with_name("golden")
SHORT = 110
"""What fits into so many characters stands in one line."""


def describe_page(site: Site, name: str) -> dict[str, Any]:
    """Return what a page holds in each edition, by block; editions that hold the same are named together."""
    found: dict[str, dict[str, Any]] = {}
    for language, veil in EDITIONS:
        edition = name_edition(language, veil)
        for block, content in _describe(build_page(site, name, language, veil), language).items():
            same = found.setdefault(block, {})
            twin = next((names for names, other in same.items() if other == content), None)
            if twin is None:
                same[edition] = content
            else:
                same[f"{twin}, {edition}"] = same.pop(twin)
    return found


def get_path(site: Site, name: str) -> Path:
    """Return where a page's golden frames stand."""
    return FOLDER / f"{site}-{name}.json"


def write_text(content: Any) -> str:
    """Return JSON in which a row of a table is a line."""
    return _write(content, "") + "\n"


def _describe(page: Page, language: str) -> dict[str, Any]:
    blocks: dict[str, Any] = {"headings": [page.title, *(section.title for section in _list_sections(page.sections))]}
    for section in _list_sections(page.sections):
        for block in section.blocks:
            if isinstance(block, Chart):
                blocks[f"chart {block.name}"] = {"said": block.alternative, "values": _plain(block.values)}
            elif isinstance(block, Cards):
                blocks["cards"] = [
                    {"period": period.title, "subtitle": period.subtitle, "cards": [
                        [card.title, card.value, card.detail, card.change, card.tone] for card in period.cards
                    ]}
                    for period in block.periods
                ]  # fmt: skip
            elif isinstance(block, Actions):
                blocks["actions"] = [
                    [action.number, action.title, action.detail, action.link, *map(_write_line, action.lines)]
                    for action in block.actions
                ]
    for table in page.list_tables():
        sheet = make_sheet(table)
        blocks[f"table {table.name}"] = {
            "columns": [[column.title, column.kind] for column in sheet.columns],
            "rows": [[_plain(value) for value in row] for row in sheet.rows],
        }
        blocks[f"titles {table.name}"] = [column.title for column in make_sheet(table, read_texts(language)).columns]
    return blocks


def _write_line(line: Line) -> str:
    return " ".join(part for part in (line.text, line.phone) if part)


def _list_sections(sections: tuple[Section, ...]) -> list[Section]:
    found = []
    for section in sections:
        found.append(section)
        for block in section.blocks:
            if isinstance(block, Split):
                found += _list_sections(block.sections)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if is_missing(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str | bool | int | float) else str(value)


def _write(content: Any, indent: str) -> str:
    line = json.dumps(content, ensure_ascii=False)
    if len(line) <= SHORT or not isinstance(content, dict | list) or _is_row(content):
        return line
    inner = indent + " "
    if isinstance(content, list):
        parts = [_write(value, inner) for value in content]
        return "[\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}]"
    parts = [f"{json.dumps(name, ensure_ascii=False)}: {_write(value, inner)}" for name, value in content.items()]
    return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}}}"


def _is_row(content: dict[str, Any] | list[Any]) -> bool:
    values = content.values() if isinstance(content, dict) else content
    return not any(isinstance(value, dict | list) for value in values)


def main() -> None:
    """Write the golden frames of every page anew, and remove those of pages that are no more."""
    FOLDER.mkdir(exist_ok=True)
    wanted = {get_path(site, name) for site, name in PAGES}
    for path in set(FOLDER.glob("*.json")) - wanted:
        path.unlink()
    for site, name in PAGES:
        get_path(site, name).write_text(write_text(describe_page(site, name)), encoding="utf-8")


if __name__ == "__main__":
    main()
