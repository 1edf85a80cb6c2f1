"""Phones as what they are, of whatever country (libphonenumber): how they are shown, and by what they are found."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from babel.core import get_global

from reports.cells import is_missing

DEFAULT_REGION = "RU"
"""Where a salon lives whose time zone belongs to no country."""
EIGHT_REGIONS = ("RU", "BY")
"""Where an 8 is dialled before a code; Russia and Kazakhstan share a plan."""
KEPT = 100_000
"""Phones whose reading is kept: several tables of a page show the same clients."""

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SCHEME = re.compile("tel:", re.IGNORECASE)
_WRITTEN = re.compile(r"[+\uff0b]?[-\d\s().\[\]/~\u2010-\u2015\u2212\u30fc\uff0d-\uff0f\u3000\uff08\uff09]+")
_INTERNATIONAL, _NATIONAL = phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL
_PLUS = None
"""The region of a number that names its country itself."""


def find_region(timezone: str | None, setting: str | None = None) -> str:
    """Return the country (ISO 3166-1) in whose way phones without a code are read: the setting, else the zone's."""
    if setting in phonenumbers.SUPPORTED_REGIONS:
        return str(setting)
    region = get_global("zone_territories").get(timezone or "")
    return region if region in phonenumbers.SUPPORTED_REGIONS else DEFAULT_REGION


def format_phone(phone: str, region: str) -> str:
    """Return a phone with its country's code, in that country's groups; what is no phone as it was written."""
    number = read_phone(phone, region)
    return phone if number is None else phonenumbers.format_number(number, _INTERNATIONAL)


def link_phone(phone: str | None, region: str = DEFAULT_REGION) -> str | None:
    """Return what dials a phone (RFC 3966, the global number); none of what is no phone."""
    number = None if is_missing(phone) or phone is None else read_phone(phone, region)
    return None if number is None else f"tel:{phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)}"


def list_digits(phone: str | None, region: str = DEFAULT_REGION) -> str:
    """Return what a search finds a phone by: its digits with the country's code, as dialled within it, as written."""
    if is_missing(phone) or phone is None:
        return ""
    written = _take_digits(phone)
    number = read_phone(phone, region)
    if number is None:
        return written
    national = _take_digits(phonenumbers.format_number(number, _NATIONAL))
    found = [f"{number.country_code}{phonenumbers.national_significant_number(number)}", national, written]
    return " ".join(dict.fromkeys(digits.removeprefix("00") for digits in found))


@lru_cache(KEPT)
def read_phone(phone: str, region: str) -> phonenumbers.PhoneNumber | None:
    """Return the number that a text is, pasted or typed; None where it is none that could be dialled.

    Without a plus it is the region's where it is written as there; else, of eleven digits behind 8 or 7, that of
    Russia, Kazakhstan or Belarus, whose people write so everywhere; else one that lacks its plus.
    """
    text = _SCHEME.sub("", _UNSEEN.sub("", phone), count=1).strip()
    if not _WRITTEN.fullmatch(text):
        return None
    digits = _take_digits(text)
    if text[0] in "+\uff0b":
        return _parse(f"+{digits}", _PLUS, is_certain=True)
    if digits.startswith("00"):
        return _parse(f"+{digits[2:]}", _PLUS)
    is_russian = len(digits) == 11 and digits[0] in "78"
    others: list[tuple[str, str | None]]
    others = [(text, place) for place in EIGHT_REGIONS] if is_russian else [(f"+{digits}", _PLUS)]
    prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or "+"
    is_local = len(digits) < 11 or digits.startswith(prefix)
    readings = [(text, region), *others] if is_local else [*others, (text, region)]
    found = (_parse(reading, place) for reading, place in readings)
    number = next((number for number in found if number is not None), None)
    if number is None and is_russian and digits[1] != "0":
        return _parse(f"+7{digits[1:]}", _PLUS, is_certain=True)
    return number


def _parse(text: str, region: str | None, *, is_certain: bool = False) -> phonenumbers.PhoneNumber | None:
    """The number, where it is one: of a country that is certain any of the right length, else what is given out."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    is_one = phonenumbers.is_possible_number if is_certain else phonenumbers.is_valid_number
    return number if is_one(number) else None


def _take_digits(text: str) -> str:
    return phonenumbers.normalize_digits_only(text)
