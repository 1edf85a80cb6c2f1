"""The catalogue: faults as data, read and told apart."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from agentp.errors import SetupError

CATALOGUE = Path(__file__).parent / "catalogue"
EVERYTHING = ("tests",)
"""What is run where all tests are asked for."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: in ``file`` (from the root of the checkout) ``old``, which stands there once, becomes ``new``.

    ``room`` is the catalogue's file; ``why`` says by which definition it is wrong; ``tests`` are paths of pytest's that
    should notice, the likeliest first, ``keyword`` pytest's `-k` where only some of them should.
    """

    id: str
    room: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]
    keyword: str = ""

    @property
    def digest(self) -> str:
        """What a result is of: the same fault, noticed by the same tests."""
        parts = (self.file, self.old, self.new, *self.tests, self.keyword)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def plant(self, checkout: Path) -> str | None:
        """Change the file in a checkout; return why it cannot be done, None where it was."""
        path = checkout / self.file
        if not path.is_file():
            return f"{self.file} is not there"
        text = path.read_bytes().decode("utf-8")
        count = text.count(self.old)
        if count != 1:
            return f"the old text stands {count} times in {self.file}, not once"
        path.write_bytes(text.replace(self.old, self.new).encode("utf-8"))
        return None


def read_faults() -> list[Fault]:
    """Return all faults of the catalogue, room by room; a `SetupError` names what an entry lacks."""
    faults = []
    for path in sorted(CATALOGUE.glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]:
            try:
                faults.append(Fault(**{**entry, "tests": tuple(entry["tests"]), "room": path.stem}))
            except (KeyError, TypeError) as error:
                raise SetupError(
                    f"{path.name}: the fault {entry.get('id', 'without an id')} cannot be read: {error}.",
                    cure="Give it id, file, old, new, why and tests, as the others have them.",
                ) from error
    return faults


def choose_faults(faults: list[Fault], *, only: list[str], room: str | None) -> list[Fault]:
    """Return the faults of these ids, or of a room, or all; refuse an id or a room that there is not."""
    ids, rooms = {fault.id for fault in faults}, sorted({fault.room for fault in faults})
    unknown = [name for name in only if name not in ids]
    if unknown:
        raise SetupError(f"There is no fault '{unknown[0]}'.", cure="`python -m tools.faults --list` names them all.")
    if room is not None and room not in rooms:
        raise SetupError(f"There is no room '{room}'.", cure=f"Name one of {', '.join(rooms)}.")
    return [fault for fault in faults if (not only or fault.id in only) and room in (None, fault.room)]
