"""What pages say, in Russian and English: one file a language, the same keys in both."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale

FOLDER = Path(__file__).parent
LANGUAGES = ("ru", "en")


@dataclass(frozen=True)
class Texts:
    """The texts of one language, by keys such as ``kpi.dialogs.title``."""

    language: str
    entries: dict[str, str]

    def get(self, key: str, **values: object) -> str:
        """Return the text with its values filled in; an unknown key is a fault of the page and raises."""
        return self.entries[key].format(**values)

    def find(self, key: str, default: str) -> str:
        """Return the text of a key that is made of data, such as a status a bot wrote; ``default`` for unknown ones."""
        return self.entries.get(key, default)

    def count(self, key: str, number: int, shown: str, **values: object) -> str:
        """Return the text in the plural form that the number asks for (CLDR's rules, by Babel)."""
        form = Locale.parse(self.language).plural_form(number)
        return self.entries[f"{key}.{form}"].format(n=shown, **values)


@lru_cache
def read_texts(language: str) -> Texts:
    """Return the texts of ``ru`` or ``en``."""
    found = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Texts(language, dict(_flatten(found)))


def _flatten(found: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    entries = []
    for name, value in found.items():
        key = f"{prefix}{name}"
        entries += _flatten(value, f"{key}.") if isinstance(value, dict) else [(key, str(value))]
    return entries
