"""A page as a browser takes it apart: its elements, its tables, and the data in its scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

TELLING = frozenset(
    {"id", "class", "href", "src", "for", "type", "name", "http-equiv", "content", "role", "data-chart"}
)
"""Attributes whose values are ours on every page, whatever a client is called."""
EMPTY = frozenset({"meta", "link", "input", "br", "img"})


@dataclass
class ReadPage(HTMLParser):
    """What html.parser finds; ``elements`` are tags with the names of their attributes and the values that tell."""

    elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    cells: dict[str, list[list[str]]] = field(default_factory=dict)
    """Texts of the cells of each table's body, by the table's id."""
    open_tags: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    _table: str = ""
    _is_body: bool = False

    def __post_init__(self) -> None:
        """Make the parser ready."""
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, tuple(sorted((name, value if name in TELLING else "") for name, value in attrs))))
        self.attributes += [name for name, _ in attrs]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag == "table":
            self._table = dict(attrs).get("id") or ""
            self.cells[self._table] = []
        elif tag in ("thead", "tbody"):
            self._is_body = tag == "tbody"
        elif tag == "tr" and self._is_body:
            self.cells[self._table].append([])
        elif tag == "td":
            self.cells[self._table][-1].append("")
        elif tag == "script":
            self.scripts.append("")
        if tag not in EMPTY:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note an end, and whether it is that of the element that was open."""
        if not self.open_tags or self.open_tags.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        """Note what stands in a script or in a cell."""
        if "script" in self.open_tags:
            self.scripts[-1] += data
        elif "td" in self.open_tags:
            self.cells[self._table][-1][-1] += data

    def handle_comment(self, data: str) -> None:
        """Note a comment; pages have none."""
        self.comments.append(data)

    @property
    def data(self) -> list[Any]:
        """What stands as JSON in scripts, read back."""
        return [json.loads(script) for script in self.scripts if script.strip()]


def read_page(html: str) -> ReadPage:
    """Return what a page is made of."""
    page = ReadPage()
    page.feed(html)
    page.close()
    return page
