"""Numbers, money, days and moments as people of a language write them (Babel, CLDR)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, dates, numbers, units

from reports.cells import is_missing
from reports.phones import DEFAULT_REGION, format_phone, link_phone, list_digits

NOTHING = "—"
NO_CURRENCY = "XXX"
"""How the marts say that an amount names no currency (ISO 4217); people are told so in words."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
"""In milliseconds."""
VAST = Decimal(10) ** 18
"""From here on a number is no figure of a salon: it is written with an exponent, as no page has room for its digits."""
WHOLE_FROM = 10
"""From so much money on nobody looks at cents: files have them."""
KEPT = 100_000
"""Values whose text is kept: tables repeat days and amounts, and Babel takes tens of microseconds for each."""


class Formats:
    """How values are written in one language; None, NaN and NaT are a dash everywhere.

    Phones without a country's code are those of ``region``.
    """

    def __init__(self, language: str, region: str = DEFAULT_REGION) -> None:
        self.language = language
        self.region = region
        self.locale = Locale.parse(language)
        self._write_day = lru_cache(KEPT)(self._format_day)
        self._write_number = lru_cache(KEPT)(self._format_number)
        self._write_money = lru_cache(KEPT)(self._format_money)
        self._write_duration = lru_cache(KEPT)(self._format_duration)
        self._write_percent = lru_cache(KEPT)(self._format_percent)

    def write_number(self, value: Any, digits: int = 0) -> str:
        """A number with at most so many digits after the point."""
        return NOTHING if is_missing(value) else self._write_number(value, digits)

    def write_money(self, value: Any, currency: str | None) -> str:
        """An amount in its currency, without cents from `WHOLE_FROM` on; of no known currency it is a number."""
        return NOTHING if is_missing(value) else self._write_money(value, currency or NO_CURRENCY)

    def write_percent(self, share: Any, digits: int = 0) -> str:
        """A share, 0 to 1, as per cent."""
        return NOTHING if is_missing(share) else self._write_percent(share, digits)

    def write_day(self, value: Any) -> str:
        """A day with its year."""
        return NOTHING if is_missing(value) else self._write_day(_to_day(value), "d MMM y")

    def write_short_day(self, value: Any) -> str:
        """A day of the current year."""
        return NOTHING if is_missing(value) else self._write_day(_to_day(value), "d MMM")

    def write_month(self, value: Any) -> str:
        """A month with its year, by any of its days."""
        return NOTHING if is_missing(value) else self._write_day(_to_day(value), "LLL y")

    def write_moment(self, value: Any) -> str:
        """A local day and minute; the caller hands over local time."""
        return NOTHING if is_missing(value) else f"{self.write_day(value)}, {value:%H:%M}"

    def write_period(self, first: Any, last: Any) -> str:
        """From a day to a day, both inclusive."""
        return f"{self.write_short_day(first)} – {self.write_day(last)}"

    def write_duration(self, milliseconds: Any) -> str:
        """A time that something took, in the two largest units that say something."""
        if is_missing(milliseconds):
            return NOTHING
        exact = round(float(milliseconds))
        if abs(exact) >= VAST:
            return self._format_number(exact, 0)
        # What is not shown makes no difference: tenths of the first second, else seconds.
        return self._write_duration(exact if exact < SECOND else exact - exact % SECOND)

    def _format_duration(self, left: int) -> str:
        sizes = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))
        if left < SECOND:
            return self._write_unit(left / SECOND, "second", digits=1)
        place = next(place for place, (size, _) in enumerate(sizes) if left >= size)
        parts = []
        for size, unit in sizes[place : place + 2]:
            count, left = divmod(left, size)
            if count:
                parts.append(self._write_unit(count, unit))
        return " ".join(parts)

    def write_phone(self, phone: str | None) -> str:
        """A phone as it is dialled from anywhere."""
        return write_phone(phone, self.region)

    def link_phone(self, phone: str | None) -> str | None:
        """What dials a phone; none of what is no phone."""
        return link_phone(phone, self.region)

    def list_digits(self, phone: str | None) -> str:
        """What a search finds a phone by, however it is typed."""
        return list_digits(phone, self.region)

    def write_weekday(self, number: int) -> str:
        """The short name of a weekday, Monday 0."""
        name: str = self.locale.days["stand-alone"]["abbreviated"][number]
        return name

    def _write_unit(self, count: float, unit: str, digits: int = 0) -> str:
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        text: str = units.format_unit(
            _to_decimal(count), f"duration-{unit}", length="short", format=pattern, locale=self.locale
        )
        return text.replace(" ", "\u00a0")

    def _format_number(self, value: Any, digits: int) -> str:
        number = _to_decimal(value)
        if abs(number) >= VAST:
            vast: str = numbers.format_scientific(number, format="0.##E0", locale=self.locale)
            return vast
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        text: str = numbers.format_decimal(number, format=pattern, locale=self.locale)
        # What rounds to zero has no sign.
        return text if any(sign in "123456789" for sign in text) else text.removeprefix("-")

    def _format_percent(self, value: Any, digits: int) -> str:
        share = _to_decimal(value)
        if abs(share) >= VAST:
            return f"{self._format_number(share * 100, 0)}\u00a0%"
        pattern = "0%" if digits == 0 else "0." + "0" * digits + "%"
        text: str = numbers.format_percent(share, format=_space(pattern, self.locale), locale=self.locale)
        return text

    def _format_money(self, amount: Any, currency: str) -> str:
        value = _to_decimal(amount)
        if value.is_finite() and WHOLE_FROM <= abs(value) < VAST:
            value = value.quantize(Decimal(1), ROUND_HALF_UP)
        if currency == NO_CURRENCY or len(currency) != 3:
            return self._format_number(value, 2)
        if abs(value) >= VAST:
            return f"{self._format_number(value, 0)}\u00a0{currency}"
        is_whole = value == value.to_integral_value()
        text: str = numbers.format_currency(
            value, currency, locale=self.locale, currency_digits=not is_whole,
            format="#,##0\u00a0¤" if is_whole and self.language == "ru" else ("¤#,##0" if is_whole else None),
        )  # fmt: skip
        # A code in place of a symbol needs its distance.
        return re.sub(r"^(-?[A-Z]{3})(?=\d)", "\\1\u00a0", text)

    def _format_day(self, value: date, pattern: str) -> str:
        text: str = dates.format_date(value, pattern, locale=self.locale)
        return text


@lru_cache
def get_formats(language: str, region: str = DEFAULT_REGION) -> Formats:
    """Return how a language writes, with phones of a country; made once a process."""
    return Formats(language, region)


def is_unknown(amount: Any, currency: str | None) -> bool:
    """Whether no price of a sum is known: a 0 in no currency adds up nothing."""
    return currency == NO_CURRENCY and not is_missing(amount) and not amount


def write_phone(phone: str | None, region: str = DEFAULT_REGION) -> str:
    """A phone as it is dialled from anywhere; one without a country's code is the region's."""
    return NOTHING if is_missing(phone) or not phone else format_phone(phone, region)


def move_days(day: date, count: int) -> date:
    """Return the day so many days later."""
    return day + timedelta(days=count)


def _to_decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _to_day(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else value


def _space(pattern: str, locale: Locale) -> str:
    return pattern.replace("%", "\u00a0%") if locale.language == "ru" else pattern
