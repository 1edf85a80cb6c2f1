"""Files that name a person: every byte of the site of reports, workbooks unpacked (issue 7)."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from access.people import Person

PACKED = (".xlsx", ".zip")


def count_files(folder: Path, person: Person) -> int:
    """Return how many files below ``folder`` name the person.

    In the folders of other salons the id counts, and what is nobody's name in the whole chain.
    """
    own = re.compile(person.write_pattern(), re.IGNORECASE)
    others = re.compile(person.write_pattern(is_here=False), re.IGNORECASE)
    salon = f"-{str(person.tenant_id)[:8]}"
    return sum(
        any((own if _is_of(path, folder, salon) else others).search(text) for text in _read_texts(path))
        for path in folder.rglob("*")
        if path.is_file()
    )


def _is_of(path: Path, folder: Path, salon: str) -> bool:
    parts = path.relative_to(folder).parts
    return parts[0] == "salons" and len(parts) > 2 and parts[1].endswith(salon)


def _read_texts(path: Path) -> Iterator[str]:
    """What a reader sees: entities as signs, and what is in a workbook."""
    if path.suffix in PACKED:
        with zipfile.ZipFile(path) as pack:
            for name in pack.namelist():
                yield html.unescape(pack.read(name).decode("utf-8", errors="replace"))
        return
    text = path.read_bytes().decode("utf-8", errors="replace")
    yield html.unescape(text) if "&" in text else text
