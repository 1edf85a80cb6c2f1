"""Reading a written site as those who check it do: pages, the data in them, links, files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from reports.defusing import FUSES
from reports.reading import open_snapshot, read_salons
from tests.support.marts import Workshop, make_id

LANGUAGES = ("ru", "en")


def find_salon(workshop: Workshop, name: str) -> str:
    """Return the folder of a salon within the site, relative to its root."""
    with open_snapshot(workshop.url) as (connection, _):
        [found] = read_salons(connection, (str(make_id(name)),))
    return f"salons/{found.folder}"


@dataclass
class Parsed(HTMLParser):
    """What a page holds: tags with their attributes, text, data."""

    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    data: list[tuple[dict[str, str | None], Any]] = field(default_factory=list)
    _open: tuple[str, dict[str, str | None]] = ("", {})

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        self._open = (tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """Note that what was open is not any more."""
        self._open = ("", {})

    def handle_data(self, data: str) -> None:
        """Note text, or the data that stand in a script."""
        if self._open[0] == "script":
            self.data.append((self._open[1], json.loads(data)))
        elif data.strip():
            self.text.append(data.strip())

    def find(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all such tags."""
        return [attributes for name, attributes in self.tags if name == tag]

    def find_rows(self, table: str) -> dict[str, Any]:
        """Return the data of a long table."""
        [found] = [data for attributes, data in self.data if attributes.get("data-rows") == f"table-{table}"]
        return dict(found)

    def find_values(self) -> list[list[dict[str, Any]]]:
        """Return the values of the charts, in the order of the page."""
        return [data for attributes, data in self.data if "data-rows" not in attributes]


def parse(path: Path) -> Parsed:
    """Return what a page holds."""
    parsed = Parsed()
    parsed.feed(path.read_text(encoding="utf-8"))
    parsed.close()
    return parsed


def list_pages(site: Path) -> list[Path]:
    """Return every page of a site."""
    return sorted(site.rglob("*.html"))


def read_csv(path: Path) -> pd.DataFrame:
    """Return a file as text, with what defused its cells taken away again."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return frame.map(lambda cell: FUSES.sub("", cell))


def read_tab(path: Path, title: str) -> list[tuple[Any, ...]]:
    """Return the rows of a tab of a workbook, without its header."""
    book = openpyxl.load_workbook(path, read_only=True)
    return list(book[title].iter_rows(min_row=2, values_only=True))


def read_dialogs(folder: Path) -> dict[str, list[list[str]]]:
    """Return the messages of all sessions of a salon, as its pages load them."""
    found: dict[str, list[list[str]]] = {}
    for path in sorted((folder / "dialogs").iterdir()):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("window.agentpDialogs(")
        assert text.endswith(");\n")
        found |= json.loads(text.removeprefix("window.agentpDialogs(").removesuffix(");\n"))
    return found


def snap(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file below a folder: when it was written and what is in it, locks aside."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
