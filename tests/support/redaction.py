"""What people write and how it may be shown: one table, by which dbt's macro and Python's `scrub` are both held."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import MappingProxyType

import phonenumbers

_TABLE = tomllib.loads(Path(__file__).with_name("redaction_examples.toml").read_text(encoding="utf-8"))
PHONES, E_MAILS, CARDS, KEPT = (tuple(_TABLE[name]) for name in ("phones", "e_mails", "cards", "kept"))
TAKEN = MappingProxyType({"phone": PHONES, "e-mail": E_MAILS, "card": CARDS})
FRAMES = ("{}", "мой {}, жду", "тел.{}!", "({})", "номер: {}\nи всё", "<{}>")
UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069]|tel:")
"""What may stay beside a phone: it tells nothing of it."""

SHORTEST = 9
"""Digits of the shortest phone that is found by its shape."""
UNUSUAL = frozenset({"AR", "HU"})
"""Where the 0 is followed by a second prefix, or the brackets hold it too."""


def list_library_phones() -> list[str]:
    """Return an example of a mobile and of a landline of every country, in each way the library writes them.

    Within a country only those that begin with 0: without one, a short number looks like any other.
    """
    found = []
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS - UNUSUAL):
        for number in (phonenumbers.example_number_for_type(region, kind) for kind in kinds):
            if number is None:
                continue
            for style in vars(phonenumbers.PhoneNumberFormat).values():
                if not isinstance(style, int):
                    continue
                text = phonenumbers.format_number(number, style)
                is_known = style != phonenumbers.PhoneNumberFormat.NATIONAL or re.match(r"[(]?0", text)
                if is_known and len(re.findall("[0-9]", text)) >= SHORTEST:
                    found.append(text)
    return found
