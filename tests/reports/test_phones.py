"""Phones of all countries are shown and found as what they are, typed or pasted (REQUIREMENTS C8)."""

from __future__ import annotations

from typing import Any

import pytest

from reports.formats import NOTHING, get_formats, write_phone
from reports.phones import find_region, list_digits

RUSSIAN = "+7 916 123-45-67"


@pytest.mark.parametrize(
    ("phone", "written"),
    [
        ("+79161234567", RUSSIAN),
        ("89161234567", RUSSIAN),
        ("8 (916) 123-45-67", RUSSIAN),
        ("79161234567", RUSSIAN),
        ("9161234567", RUSSIAN),
        ("\u202a+7 916 123\u201145\u201167\u202c", RUSSIAN),
        ("tel:+7-916-123-45-67", RUSSIAN),
        ("8/916/123\u201345\u201367", RUSSIAN),
        ("+７（９１６）１２３－４５－６７", RUSSIAN),
        ("8 (495) 123-45-67", "+7 495 123-45-67"),
        ("8 701 123 45 67", "+7 701 123 4567"),
        ("+4915112345678", "+49 1511 2345678"),
        ("8 123 123-45-67", "+7 1231234567"),
        ("375291234567", "+375 29 123-45-67"),
        ("8 (029) 123-45-67", "+375 29 123-45-67"),
        ("00380671234567", "+380 67 123 4567"),
        ("+996 555 12-34-56", "+996 555 123 456"),
    ],
)
def test_a_phone_is_shown_as_it_is_dialled_from_anywhere(phone: str, written: str) -> None:
    assert write_phone(phone) == written


@pytest.mark.parametrize(
    ("region", "phone", "written"),
    [
        ("UA", "067 123-45-67", "+380 67 123 4567"),
        ("KG", "0555 123456", "+996 555 123 456"),
        ("TR", "0532 123 45 67", "+90 532 123 45 67"),
        ("BY", "8 029 123-45-67", "+375 29 123-45-67"),
        ("FR", "06 58 01 42 43", "+33 6 58 01 42 43"),
        ("US", "(415) 555-2671", "+1 415-555-2671"),
        ("UA", "8 916 123-45-67", RUSSIAN),
        ("DE", "79161234567", RUSSIAN),
        ("KG", "8 701 123 45 67", "+7 701 123 4567"),
        ("KZ", "8 701 123 45 67", "+7 701 123 4567"),
        ("RU", "067 123-45-67", "067 123-45-67"),
    ],
)
def test_a_phone_without_a_code_is_the_regions_where_it_is_written_as_there(
    region: str, phone: str, written: str
) -> None:
    assert write_phone(phone, region) == get_formats("ru", region).write_phone(phone) == written


@pytest.mark.parametrize(
    "text", ["=7(916)1234567", "79161234567 доб. 5", "доб. 12", "123", "+1", "+", "Анна 89161234567", "8" * 40]
)
def test_what_is_no_phone_is_shown_as_it_was_written(text: str) -> None:
    assert write_phone(text) == text


@pytest.mark.parametrize("nothing", ["", None, float("nan")])
def test_no_phone_is_a_dash_and_is_found_by_nothing(nothing: Any) -> None:
    assert (write_phone(nothing), list_digits(nothing)) == (NOTHING, "")


@pytest.mark.parametrize(
    ("region", "phone", "digits"),
    [
        ("RU", "+7 (916) 123-45-67", "79161234567 89161234567"),
        ("RU", "89161234567", "79161234567 89161234567"),
        ("RU", "8 701 123 45 67", "77011234567 87011234567"),
        ("RU", "9161234567", "79161234567 89161234567 9161234567"),
        ("UA", "+380 67 123-45-67", "380671234567 0671234567"),
        ("UA", "067 123-45-67", "380671234567 0671234567"),
        ("RU", "tel:+49\u20111511\u20112345678", "4915112345678 015112345678"),
        ("RU", "916 123", "916123"),
        ("RU", "доб. 12", "12"),
    ],
)
def test_a_phone_is_found_with_its_code_and_as_it_is_dialled_at_home(region: str, phone: str, digits: str) -> None:
    assert list_digits(phone, region) == digits


@pytest.mark.parametrize(
    ("timezone", "setting", "region"),
    [
        ("Europe/Moscow", None, "RU"),
        ("Asia/Almaty", None, "KZ"),
        ("Europe/Kyiv", None, "UA"),
        ("Europe/Berlin", None, "DE"),
        ("UTC", None, "RU"),
        (None, None, "RU"),
        ("Mars", None, "RU"),
        ("Europe/Moscow", "KZ", "KZ"),
        ("Asia/Bishkek", "XX", "KG"),
    ],
)
def test_a_salons_country_is_what_it_set_or_that_of_its_zone(
    timezone: str | None, setting: str | None, region: str
) -> None:
    assert find_region(timezone, setting) == region
