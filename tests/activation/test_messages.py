"""Texts: what clients read, and that nothing they wrote themselves can disturb it."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.messages import (
    LONGEST_NAME,
    OfferText,
    WinBackText,
    make_safe,
    make_safe_name,
    mask_name,
    write_offer,
    write_win_back,
)

VISIT = datetime(2026, 3, 29, 14, 0)  # noqa: DTZ001 (the salon's clock)


def test_regulars_and_who_came_once_read_different_messages() -> None:
    regular = write_win_back(WinBackText(client_name="Мария", salon_name="Локон", is_regular=True))
    once = write_win_back(WinBackText(client_name="Мария", salon_name="Локон", is_regular=False))
    assert regular.startswith("Здравствуйте, Мария! Давно не виделись в «Локон».")
    assert once.startswith("Здравствуйте, Мария! Спасибо, что были в «Локон».")


def test_what_is_not_known_is_left_away() -> None:
    assert write_win_back(WinBackText(client_name=None, salon_name=None, is_regular=True)).startswith(
        "Здравствуйте! Давно не виделись. Будем рады"
    )
    assert write_offer(OfferText(client_name=None, salon_name=" ", service_title=None, visit_at=VISIT)).startswith(
        "Здравствуйте! Освободилось время: воскресенье, 29 марта, 14:00."
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Мария", "Мария"),
        ("  Анна-Мария\n\tО'Нил \r\n", "Анна-Мария О'Нил"),
        ("Ма\u202eрия\u200b", "Мария"),
        ("<b>Мария</b>", "bМария/b"),
        ("[Мария](x)", "Мария(x)"),
        ("Я" * 41, "Я" * 39 + "…"),
        ("+7 (999) 123-45-67", None),
        ("Мария 89991234567", None),
        ("http://evil.example", None),
        ("@maria", None),
        ("🙂🙂", None),
        ("123", None),
        ("", None),
        (None, None),
    ],
)
def test_a_name_is_one_line_of_readable_text_or_none(name: str | None, shown: str | None) -> None:
    assert make_safe_name(name) == shown


@given(st.text(max_size=200))
def test_whatever_stands_in_a_text_it_is_one_short_line(text: str) -> None:
    safe = make_safe(text)
    if safe is not None:
        assert len(safe) <= LONGEST_NAME
        assert safe == " ".join(safe.split())
        assert not any(unicodedata.category(character).startswith("C") for character in safe)


def test_at_the_screen_a_name_is_its_first_letter() -> None:
    assert mask_name("Мария Петрова") == "М…"
    assert mask_name("+79991234567") is None
