"""Names of a workbook's tabs, as Excel allows them."""

from __future__ import annotations

import re
from collections.abc import Callable

LENGTH = 31
RESERVED = frozenset({"history"})
"""What Excel calls a tab of its own, in any letters."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff\ufffe\uffff]")


def choose_tab_names() -> Callable[[str], str]:
    """Return a function that makes of each name one that Excel allows and that no tab before it has.

    Excel compares without regard to case, counts in UTF-16, and allows no apostrophe at either end.
    """
    taken: set[str] = set()

    def choose(name: str) -> str:
        plain = _FORBIDDEN.sub(" ", name).strip(" '") or "table"
        number = 1
        while True:
            suffix = "" if number == 1 else f" ({number})"
            chosen = _shorten(plain, LENGTH - len(suffix)).rstrip(" '") + suffix
            if chosen.casefold() not in taken | RESERVED:
                taken.add(chosen.casefold())
                return chosen
            number += 1

    return choose


def _shorten(text: str, length: int) -> str:
    return text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", errors="ignore")
