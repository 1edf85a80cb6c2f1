"""Text that a spreadsheet would take for a formula is made text (issue 6; OWASP, "CSV Injection").

Where it matters: in CSV, which has no types, so that a spreadsheet guesses. In XLSX a text is marked as one and is left
as it was written.
"""

from __future__ import annotations

import re

SIGNS = r"=+\-@＝＋－＠﹦﹢﹣﹫"
"""What a formula starts with, in all widths: spreadsheets in East Asian languages take the wide ones as well."""
SKIPPED = (
    r"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff"
    "\"'`´‘’‚“”„«»‹›"
)
"""What may stand before it and be dropped by a reader: spaces, control and invisible characters, and quotes."""
SEPARATORS = r";\t\r\n"
"""What ends a cell for a reader that does not divide by commas, as Excel does not where commas are decimal points."""

_HARMLESS = re.compile(rf"(?:[^\W_][^{SEPARATORS}]*)?")
_DANGEROUS = re.compile(rf"(\A[{SKIPPED}]*[{SIGNS}\t\r\n]|(?<=[{SEPARATORS}])[{SKIPPED}]*[{SIGNS}])")
FUSES = re.compile(rf"\A'(?=[{SKIPPED}]*[{SIGNS}\t\r\n])|(?<=[{SEPARATORS}])'(?=[{SKIPPED}]*[{SIGNS}])")
"""The apostrophes that `defuse` put in, within what it returned."""


def defuse(text: str) -> str:
    """Return the text so that no cell of a CSV that holds it is a formula, whatever the file is divided by.

    An apostrophe is put before what a formula may start with: ``= + - @`` in any width, at the start of the text, also
    behind spaces, invisible characters and quotes, and likewise behind each ``;``, tab and line break within it: Excel
    in Russian divides by ``;`` and takes no notice of the quotes then. A tab or line break at the very start counts as
    well. So phones that start with ``+`` are written ``'+7…``, and lists come out with ``'-`` before each line.

    Nothing is lost: in what this function wrote, every dangerous start has its apostrophe, so that a reader who wants
    the very text takes one away at each: ``FUSES.sub("", cell)``. Text that was defused twice is as safe, and is taken
    back by doing that twice.
    """
    return text if _HARMLESS.fullmatch(text) else _DANGEROUS.sub(r"'\1", text)
