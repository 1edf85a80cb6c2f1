"""Composes a salon's digest: facts in, a title, a short text and a picture out (issue 6).

Of clients and what they wrote it only tells numbers. A text stays below `LONGEST`, because Telegram's captions end at
1024 characters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from babel.dates import format_date, format_interval

from reports.digest_facts import Day, Facts, Money, Span, Tasks
from reports.digest_texts import count_text, write_text
from reports.formats import NO_CURRENCY, Formats, get_formats, is_unknown
from reports.frames.comparisons import FEWEST, compare_shares
from reports.pictures import draw_days
from scoring.quality import wilson_interval

LONGEST = 900
"""Characters of title and text together: escaped for Telegram they grow, and a caption ends at 1024.

The bounds below keep to it; what is longer all the same comes as a message beside the picture, not cut.
"""
LONGEST_NAME = 40
MOST_CURRENCIES = 2


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What is sent: a title, plain text, and a PNG where there is anything to draw."""

    title: str
    text: str
    picture: bytes | None


def compose_digest(facts: Facts, *, is_drawn: bool = True) -> Digest:
    """Return the digest of the day, or of the week, in the salon's language; without the picture it takes no time."""
    facts = replace(facts, salon=_shorten(facts.salon))
    title, text = write_title(facts), "\n".join(_Writer(facts).write())
    picture = draw_days(facts, marked=write_days(facts.span, facts.language)) if is_drawn else None
    return Digest(title=title, text=text, picture=picture)


def write_title(facts: Facts) -> str:
    """Return whose digest it is and of when."""
    days = write_days(facts.span, facts.language)
    return write_text(facts.language, f"title.{facts.kind}", salon=facts.salon, day=days)


def write_days(span: Span, language: str) -> str:
    """Return a day with its weekday, or from which day to which, as the language has it; without the year."""
    if span.first == span.last:
        return format_date(span.first, "EEEE, d MMMM" if language == "ru" else "EEEE, MMMM d", locale=language)
    return format_interval(span.first, span.last, "MMMd", locale=language)


def compare_rates(part: int, whole: int, part_before: int, whole_before: int) -> str:
    """Return `up`, `down`, `same` (as far as can be told from chance) or `few`.

    By Newcombe's interval of a difference, which is made of both rates' Wilson 95% intervals (METRICS, "Rates").
    """
    if min(whole, whole_before) < FEWEST:
        return "few"
    lows, highs = wilson_interval([part, part_before], [whole, whole_before])
    now = (part / whole, float(lows[0]), float(highs[0]))
    before = (part_before / whole_before, float(lows[1]), float(highs[1]))
    return {1: "up", -1: "down", 0: "same"}[compare_shares(now, before)]


class _Writer:
    """Writes the lines of one digest."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._language = facts.language
        self._formats: Formats = get_formats(facts.language)

    def write(self) -> list[str]:
        facts = self._facts
        lines = self._write_figures(facts.span) if facts.span.dialogs else [self._write_nothing()]
        if facts.tasks is not None:
            lines += ["", *self._write_tasks(facts.tasks)]
        if facts.restated_days:
            lines += ["", self._count("restated", facts.restated_days)]
        return lines

    def _write_nothing(self) -> str:
        before = self._facts.before
        line = self._say(f"nothing.{self._facts.kind}")
        if before is None or not before.dialogs:
            return line
        when = self._say(f"before.{self._facts.kind}")
        return f"{line} {self._count('nothing.before', before.dialogs, before=when[0].upper() + when[1:])}"

    def _write_figures(self, span: Span) -> list[str]:
        before = self._facts.before
        count_before = self._number(before.dialogs) if before else None
        lines = [self._beside("dialogs", self._number(span.dialogs), count_before)]
        if span.intended:
            was = self._write_share(before.intended_bookings, before.intended) if before and before.intended else None
            lines.append(self._beside("bookings", self._write_share(span.intended_bookings, span.intended), was))
            if before is not None and before.intended:
                lines.append(self._compare(span, before))
        lines.append(self._write_revenue(span, before))
        if self._facts.kind == "weekly":
            lines += self._write_week(span, before)
        return lines

    def _compare(self, span: Span, before: Span) -> str:
        verdict = compare_rates(span.intended_bookings, span.intended, before.intended_bookings, before.intended)
        return self._say(
            f"rates.{verdict}", n=FEWEST, now=self._formats.write_percent(span.intended_bookings / span.intended),
            before=self._formats.write_percent(before.intended_bookings / before.intended),
        )  # fmt: skip

    def _write_revenue(self, span: Span, before: Span | None) -> str:
        of_before = self._write_money(before.revenue) if before and before.revenue else None
        if not span.revenue:
            return self._beside("revenue.none", "", of_before)
        return self._beside("revenue", self._write_money(span.revenue), of_before)

    def _write_week(self, span: Span, before: Span | None) -> list[str]:
        lines = self._write_extremes([day for day in self._facts.days if span.first <= day.day <= span.last])
        worst = max(self._facts.drops, key=lambda drop: drop.lost, default=None)
        if worst is not None and worst.lost:
            lines.append(self._say(f"drop.{worst.stage}", now=self._write_share(worst.lost, span.intended)))
        if span.response_count:
            was = self._write_response(before) if before and before.response_count else None
            lines.append(self._beside("response", self._write_response(span), was))
        return lines

    def _write_extremes(self, days: list[Day]) -> list[str]:
        # Of days that are alike the earlier one: the same facts give the same text.
        best = max(days, key=lambda day: (day.bookings, day.dialogs, -day.day.toordinal()))
        worst = min(days, key=lambda day: (day.bookings, day.dialogs, day.day.toordinal()))
        if best.bookings == worst.bookings:
            return []
        parts = (
            self._say(key, day=self._write_weekday(day.day), count=self._count("counted", day.bookings))
            for key, day in (("best", best), ("worst", worst))
        )
        return [" ".join(parts)]

    def _write_tasks(self, tasks: Tasks) -> list[str]:
        lines = []
        if tasks.slots:
            value = self._say("slots.value", value=self._write_money(tasks.value)) if tasks.value else ""
            lines.append(self._count("slots", tasks.slots) + value)
        if tasks.wishes:
            lines.append(self._count("wishes", tasks.wishes))
        if tasks.clients:
            lines.append(self._count("clients", tasks.clients))
        return [self._say("tasks"), *lines] if lines else [self._say("tasks.none")]

    def _beside(self, key: str, now: str, before: str | None) -> str:
        """A figure, and in brackets what it was before."""
        line = self._say(key, now=now)
        return f"{line} ({self._say(f'before.{self._facts.kind}')} {before})" if before else line

    def _write_share(self, part: int, whole: int) -> str:
        return self._say("of", part=self._number(part), whole=self._number(whole))

    def _write_money(self, money: Money) -> str:
        """Amounts, currency by currency."""
        texts = []
        for currency, amount in list(money.items())[:MOST_CURRENCIES]:
            text = self._formats.write_money(amount, currency)
            if is_unknown(amount, currency):
                texts.append(self._say("no_price"))
            else:
                texts.append(self._say("no_currency", amount=text) if currency == NO_CURRENCY else text)
        joined = self._say("and").join(texts)
        return f"{joined} {self._say('revenue.more')}" if len(money) > MOST_CURRENCIES else joined

    def _write_response(self, span: Span) -> str:
        return self._formats.write_duration(span.response_ms_sum / span.response_count)

    def _write_weekday(self, day: date) -> str:
        return format_date(day, "cccc", locale=self._language)

    def _number(self, number: int) -> str:
        return self._formats.write_number(number)

    def _count(self, key: str, number: int, **values: object) -> str:
        return count_text(self._language, key, number, self._number(number), **values)

    def _say(self, key: str, **values: object) -> str:
        return write_text(self._language, key, **values)


def _shorten(name: str) -> str:
    """The salon's name in one line, without what turns lines around, and not for ever."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in name).split())
    return plain if len(plain) <= LONGEST_NAME else f"{plain[:LONGEST_NAME]}…"
