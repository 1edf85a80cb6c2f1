"""Numbers, money, days and lengths of time, as people of a language write them."""

# ruff: noqa: DTZ001  (times are the salon's wall clock, without a zone, as reading gives them)

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.formats import NOTHING, Formats, get_formats, move_days

RU, EN = get_formats("ru"), get_formats("en")
NOTHINGS = (None, float("nan"), np.float64("nan"), pd.NaT, Decimal("NaN"))
SECONDS, MINUTES, HOURS, DAYS = 1_000, 60_000, 3_600_000, 86_400_000


def soften(text: str) -> str:
    """The text with plain blanks, which are easier to read in a test."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("value", "digits", "russian", "english"),
    [
        (0, 0, "0", "0"), (1234567, 0, "1 234 567", "1,234,567"), (np.int64(1234), 0, "1 234", "1,234"),
        (Decimal("1234.56"), 1, "1 234,6", "1,234.6"), (Decimal("30.0"), 1, "30", "30"), (-5, 0, "-5", "-5"),
        (0.25, 1, "0,2", "0.2"), (Decimal("-1499.50"), 1, "-1 499,5", "-1,499.5"),
    ],
)  # fmt: skip
def test_numbers_are_grouped_and_pointed_as_the_language_does(
    value: Any, digits: int, russian: str, english: str
) -> None:
    assert (soften(RU.write_number(value, digits)), EN.write_number(value, digits)) == (russian, english)


@pytest.mark.parametrize("formats", [RU, EN])
def test_what_rounds_to_zero_has_no_sign(formats: Formats) -> None:
    assert formats.write_number(Decimal("-0.04"), 1) == "0"


@pytest.mark.parametrize(
    ("value", "currency", "russian", "english"),
    [
        (1234, "RUB", "1 234 ₽", "RUB 1,234"), (Decimal("1234.00"), "RUB", "1 234 ₽", "RUB 1,234"),
        (Decimal("1234.5"), "RUB", "1 235 ₽", "RUB 1,235"), (Decimal("-5"), "RUB", "-5 ₽", "-RUB 5"),
        (1234, "EUR", "1 234 €", "€1,234"), (Decimal("60.25"), "EUR", "60 €", "€60"),
        (Decimal("9.99"), "EUR", "9,99 €", "€9.99"), (Decimal("-1499.50"), "RUB", "-1 500 ₽", "-RUB 1,500"),
        (1234, "JPY", "1 234 ¥", "¥1,234"), (Decimal("1234.5"), "JPY", "1 235 ¥", "¥1,235"),
        (1234, "XXX", "1 234", "1,234"), (Decimal("2.5"), None, "2,5", "2.5"), (Decimal("12.5"), "", "13", "13"),
        (0, "EUR", "0 €", "€0"), (3, "ABC", "3 ABC", "ABC 3"), (3, "roubles", "3", "3"),
    ],
)  # fmt: skip
def test_money_is_written_in_its_currency_and_without_cents_from_ten_on(
    value: Any, currency: str | None, russian: str, english: str
) -> None:
    assert (soften(RU.write_money(value, currency)), soften(EN.write_money(value, currency))) == (russian, english)


def test_an_amount_and_its_currency_stay_in_one_line() -> None:
    written = [RU.write_money(value, "RUB") for value in (1234567, Decimal("0.5"))] + [EN.write_money(1, "RUB")]
    assert not any(" " in text for text in written)


@pytest.mark.parametrize(
    ("share", "digits", "russian", "english"),
    [
        (Decimal("0.333"), 0, "33 %", "33%"), (Decimal("0.3333"), 1, "33,3 %", "33.3%"), (1, 0, "100 %", "100%"),
        (0, 1, "0,0 %", "0.0%"), (0.005, 0, "0 %", "0%"), (Decimal("0.015"), 0, "2 %", "2%"),
    ],
)  # fmt: skip
def test_shares_are_written_as_per_cent(share: Any, digits: int, russian: str, english: str) -> None:
    assert (soften(RU.write_percent(share, digits)), EN.write_percent(share, digits)) == (russian, english)


def test_days_months_and_moments_are_named_in_the_language() -> None:
    day, moment = date(2026, 5, 1), datetime(2026, 10, 31, 9, 5, 59)
    assert (RU.write_day(day), EN.write_day(day)) == ("1 мая 2026", "1 May 2026")
    assert (RU.write_month(day), EN.write_month(day)) == ("май 2026", "May 2026")
    assert (RU.write_moment(moment), EN.write_moment(moment)) == ("31 окт. 2026, 09:05", "31 Oct 2026, 09:05")
    assert RU.write_day(moment) == "31 окт. 2026"
    assert EN.write_period(date(2026, 12, 25), date(2027, 1, 23)) == "25 Dec – 23 Jan 2027"
    assert RU.write_period(date(2026, 9, 1), date(2026, 10, 31)) == "1 сент. – 31 окт. 2026"


def test_weeks_begin_on_monday() -> None:
    assert [RU.write_weekday(number) for number in range(7)] == ["пн", "вт", "ср", "чт", "пт", "сб", "вс"]
    assert [EN.write_weekday(date(2026, 10, day).weekday()) for day in (26, 31)] == ["Mon", "Sat"]


@pytest.mark.parametrize(
    ("milliseconds", "russian", "english"),
    [
        (0, "0 с", "0 sec"), (340, "0,3 с", "0.3 sec"), (999.6, "1 с", "1 sec"), (59_999, "59 с", "59 sec"),
        (61 * SECONDS, "1 мин 1 с", "1 min 1 sec"), (HOURS, "1 ч", "1 hr"), (HOURS + 5 * SECONDS, "1 ч", "1 hr"),
        (2 * HOURS + 3 * MINUTES + 4 * SECONDS, "2 ч 3 мин", "2 hr 3 min"), (DAYS + HOURS, "1 дн. 1 ч", "1 day 1 hr"),
        (Decimal("12400.0"), "12 с", "12 sec"),
    ],
)  # fmt: skip
def test_lengths_of_time_have_their_two_largest_units(milliseconds: Any, russian: str, english: str) -> None:
    assert (soften(RU.write_duration(milliseconds)), soften(EN.write_duration(milliseconds))) == (russian, english)


@pytest.mark.parametrize("digits", [30, 400, 1000])
def test_numbers_past_all_measure_are_written_with_an_exponent(digits: int) -> None:
    vast = Decimal(f"1.5e{digits}")
    assert EN.write_number(vast) == EN.write_number(vast, 2) == f"1.5E{digits}"
    assert soften(EN.write_money(vast, "RUB")) == f"1.5E{digits} RUB"
    assert soften(RU.write_money(-vast, "RUB")) == f"-1,5E{digits} RUB"
    assert soften(RU.write_percent(vast)) == f"1,5E{digits + 2} %"
    assert soften(EN.write_duration(10**25)) == "1E25"
    assert soften(EN.write_number(Decimal(f"0.{'0' * digits}1"), 2)) == "0"
    # Up to there every digit is shown.
    assert soften(RU.write_number(10**18 - 1)) == "999 999 999 999 999 999"


@pytest.mark.parametrize("nothing", NOTHINGS, ids=repr)
@pytest.mark.parametrize("formats", [RU, EN], ids=["ru", "en"])
def test_nothing_is_a_dash_whatever_it_is_called(formats: Formats, nothing: Any) -> None:
    written = [
        formats.write_number(nothing), formats.write_number(nothing, 2), formats.write_money(nothing, "RUB"),
        formats.write_percent(nothing), formats.write_day(nothing), formats.write_month(nothing),
        formats.write_moment(nothing), formats.write_duration(nothing), formats.write_short_day(nothing),
    ]  # fmt: skip
    assert written == [NOTHING] * 9


def test_days_are_moved_over_months_and_leap_days() -> None:
    assert move_days(date(2028, 3, 1), -1) == date(2028, 2, 29)
    assert move_days(date(2026, 10, 31), 1) == date(2026, 11, 1)
