"""What digests say and draw, on fixed figures; and that the figures are those of the marts."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reports import pictures
from reports.digest_facts import DAYS, DAYS_DRAWN, Day, Drop, Facts, Tasks, sum_days
from reports.digest_texts import TEXTS
from reports.digests import LONGEST, Digest, compare_rates, compose_digest
from reports.frames.comparisons import FEWEST
from reports.pictures import draw_days, specify_days
from scoring.quality import wilson_interval

ROOT = Path(__file__).resolve().parents[2]
FRIDAY = date(2026, 10, 30)
SUNDAY = date(2026, 11, 1)
TASKS = Tasks(slots=3, value={"RUB": Decimal("661.23")}, wishes=1, clients=141)
ROUBLES = {"RUB": Decimal("12300.00"), "EUR": Decimal("40.50")}


def make_facts(language: str = "ru", kind: str = "daily", *, last: date = FRIDAY, **changes: Any) -> Facts:
    """A salon with up to fifteen dialogs a day, in a pattern that repeats after thirteen days."""
    days = []
    for number in range(DAYS_DRAWN):
        dialogs = number * 7 % 13 + 3
        day = last - timedelta(days=DAYS_DRAWN - 1 - number)
        days.append(
            Day(
                day=day,
                dialogs=dialogs,
                bookings=dialogs // 3,
                response_ms_sum=dialogs * 14_300,
                response_count=dialogs,
                intended=dialogs - 1,
                intended_bookings=dialogs // 3,
            )
        )
    span = sum_days(days, last=last, count=DAYS[kind], revenue=ROUBLES)
    before = sum_days(days, last=last - timedelta(days=7), count=DAYS[kind], revenue={"RUB": Decimal(9000)})
    assert span is not None
    facts = Facts(
        salon="Бухта", language=language, kind=kind, days=tuple(days), span=span, before=before, tasks=TASKS,
        drops=(Drop(stage="service", lost=3), Drop(stage="time", lost=14)) if kind == "weekly" else (),
    )  # fmt: skip
    return replace(facts, **changes)


def compose(*arguments: Any, **changes: Any) -> Digest:
    digest = compose_digest(make_facts(*arguments, **changes), is_drawn=False)
    plain = str.maketrans("\u00a0\u2009", "  ")
    return replace(digest, title=digest.title.translate(plain), text=digest.text.translate(plain))


def test_a_day_in_russian() -> None:
    digest = compose(restated_days=2)
    assert digest.title == "Бухта: пятница, 30 октября"
    assert digest.text == (
        "Диалоги: 10 (неделю назад 13)\n"
        "Хотели записаться и записались: 3 из 9 (неделю назад 4 из 12)\n"
        "Сравнивать рано: записаться хотели меньше чем в 20 диалогах.\n"
        "Записались на 12 300 ₽ и 41 € (неделю назад 9 000 ₽)\n"
        "\n"
        "Сегодня:\n"
        "• 3 записи сегодня и завтра, под риском 661 ₽\n"
        "• 1 пожелание из листа ожидания подходит на рисковые слоты\n"
        "• Пора вернуть клиентов: 141, позвоните им\n"
        "\n"
        "Уточнены прежние цифры за 2 дня."
    )


def test_a_day_in_english() -> None:
    digest = compose("en", restated_days=1)
    assert digest.title == "Бухта: Friday, October 30"
    assert digest.text == (
        "Conversations: 10 (a week ago 13)\n"
        "Meant to book and did: 3 of 9 (a week ago 4 of 12)\n"
        "Too early to compare: fewer than 20 conversations meant to book.\n"
        "Booked for RUB 12,300 and €41 (a week ago RUB 9,000)\n"
        "\n"
        "Today:\n"
        "• 3 bookings today and tomorrow, RUB 661 at risk\n"
        "• 1 wish on the waiting list fits bookings at risk\n"
        "• 141 clients to win back: call them\n"
        "\n"
        "Earlier figures were corrected for 1 day."
    )


def test_a_week_in_russian() -> None:
    digest = compose("ru", "weekly", last=SUNDAY, tasks=None)
    assert digest.title == "Бухта: неделя 26 окт. – 1 нояб."
    assert digest.text == (
        "Диалоги: 66 (неделей раньше 61)\n"
        "Хотели записаться и записались: 20 из 59 (неделей раньше 18 из 54)\n"
        "Записались 34 %, было 33 %: разница может быть случайной.\n"
        "Записались на 12 300 ₽ и 41 € (неделей раньше 9 000 ₽)\n"
        "Лучший день: четверг, 5 записей. Самый слабый: суббота, 1 запись.\n"
        "Чаще всего уходят на выборе времени: 14 из 59.\n"
        "Ответ в среднем за 14 с (неделей раньше 14 с)"
    )


def test_a_week_in_english() -> None:
    digest = compose("en", "weekly", last=SUNDAY, tasks=None)
    assert digest.title == "Бухта: the week Oct 26 – Nov 1"
    assert digest.text == (
        "Conversations: 66 (the week before 61)\n"
        "Meant to book and did: 20 of 59 (the week before 18 of 54)\n"
        "34% booked, was 33%, which may be chance.\n"
        "Booked for RUB 12,300 and €41 (the week before RUB 9,000)\n"
        "Best day: Thursday, 5 bookings. Weakest: Saturday, 1 booking.\n"
        "Most leave while choosing a time: 14 of 59.\n"
        "Replies took 14 sec on average (the week before 14 sec)"
    )


def test_a_day_without_dialogs_is_told_briefly() -> None:
    facts = make_facts()
    span = replace(facts.span, dialogs=0, bookings=0, revenue={})
    digest = compose(span=span, tasks=Tasks(slots=0, value={}, wishes=0, clients=0))
    assert digest.text == (
        "За день никто не написал, так бывает. Неделю назад было 13 диалогов.\n\nСрочных дел на сегодня нет."
    )
    assert compose("en", span=span, before=None, tasks=None).text == "Nobody wrote that day; it happens."


def test_a_young_salon_is_compared_with_nothing() -> None:
    assert compose(before=None, tasks=None).text == (
        "Диалоги: 10\nХотели записаться и записались: 3 из 9\nЗаписались на 12 300 ₽ и 41 €"
    )


def test_amounts_without_a_currency_say_so_and_are_never_added_up() -> None:
    span = replace(make_facts().span, revenue={"RUB": Decimal(5), "XXX": Decimal("7.5")})
    assert "Записались на 5 ₽ и 7,5 (валюта не указана)" in compose(span=span).text


@pytest.mark.parametrize(
    ("now", "before", "verdict"),
    [
        ((10, 19), (1, 100), "few"),
        ((10, 100), (10, 19), "few"),
        ((10, 20), (10, 20), "same"),
        ((40, 100), (30, 100), "same"),
        ((60, 100), (30, 100), "up"),
        ((30, 100), (60, 100), "down"),
        ((0, 20), (0, 20), "same"),
        ((20, 20), (0, 20), "up"),
    ],
)
def test_rates_are_compared_only_where_chance_can_be_told_apart(
    now: tuple[int, int], before: tuple[int, int], verdict: str
) -> None:
    assert compare_rates(*now, *before) == verdict


def test_below_the_fewest_dialogs_a_rate_is_known_to_forty_points_at_best() -> None:
    widths = []
    for n in (FEWEST - 2, FEWEST):
        low, high = wilson_interval([n / 2], [n])
        widths.append(float(high[0] - low[0]))
    assert widths[0] > 0.41 > widths[1] > 0.40


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("kind", DAYS)
def test_the_longest_digest_fits_under_a_picture_on_telegram(language: str, kind: str) -> None:
    facts = make_facts(language, kind)
    money = {currency: Decimal("1234567890.12") for currency in ("RUB", "EUR", "XXX", "KZT", "AMD")}
    span = replace(
        facts.span,
        dialogs=1_234_567,
        intended=1_234_567,
        intended_bookings=234_567,
        revenue=money,
        response_ms_sum=10**12,
    )
    digest = compose(
        language, kind, salon="Салон " * 40, span=span, before=span, restated_days=365,
        tasks=Tasks(slots=123_456, value=money, wishes=12_345, clients=123_456),
    )  # fmt: skip
    assert len(digest.title) + len(digest.text) < LONGEST


def test_a_salon_whose_name_is_hostile_gets_one_line_of_it() -> None:
    digest = compose(salon="Ромашка\n\u202e<b>{now}%s</b>\u2028\x07\t")
    assert digest.title == "Ромашка <b>{now}%s</b>: пятница, 30 октября"


def test_both_languages_have_the_same_texts_in_all_their_plural_forms() -> None:
    forms = {"one", "few", "many", "other"}
    keys = {
        language: {key.rsplit(".", 1)[0] if key.rsplit(".", 1)[-1] in forms and not key.startswith("rates") else key
                   for key in texts}
        for language, texts in TEXTS.items()
    }  # fmt: skip
    assert keys["ru"] == keys["en"]
    for number in (0, 1, 2, 5, 11, 21, 22, 25, 101, 111, 1_000_000):
        for language in TEXTS:
            tasks = Tasks(slots=number, value={}, wishes=number, clients=number)
            assert compose(language, tasks=tasks, restated_days=number).text


def read_png(content: bytes) -> tuple[tuple[int, int], bytes]:
    """The size of a PNG and its bytes before compression."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place, parts = 8, []
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        if kind == b"IDAT":
            parts.append(content[place + 8 : place + 8 + length])
        place += length + 12
    width, height = struct.unpack(">II", content[16:24])
    return (width, height), zlib.decompress(b"".join(parts))


@pytest.mark.parametrize("kind", DAYS)
def test_the_picture_is_a_png_of_a_phones_size_with_something_on_it(kind: str) -> None:
    picture = compose_digest(make_facts(kind=kind)).picture
    assert picture is not None
    size, pixels = read_png(picture)
    assert size == (2000, 1000)
    assert len(set(pixels)) > 100
    assert len(picture) < 1_000_000


def test_the_picture_has_words_in_both_alphabets(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("жжжжжж", "бббббб", "gggggg", "bbbbbb")
    drawn = {draw_days(make_facts(salon=name), marked="") for name in names}
    # A letter that the font lacks is a box, the same for all of them.
    assert len(drawn) == len(names)
    monkeypatch.setattr(pictures, "FONT", "No Such Font")
    wordless = {draw_days(make_facts(salon=name), marked="") for name in names}
    assert len(wordless) == 1


def test_the_days_that_are_told_of_are_marked_and_no_others() -> None:
    specification = specify_days(make_facts(kind="weekly"), marked="")
    ground = specification["layer"][0]
    values = specification["datasets"][ground["data"]["name"]]
    assert [value["day"] for value in values] == [
        "24 окт.", "25 окт.", "26 окт.", "27 окт.", "28 окт.", "29 окт.", "30 окт.",
    ]  # fmt: skip
    assert ground["mark"]["type"] == "rect"


def test_weeks_without_dialogs_have_no_picture() -> None:
    days = tuple(replace(day, dialogs=0, bookings=0) for day in make_facts().days)
    assert draw_days(make_facts(days=days), marked="") is None


def test_drawing_asks_nobody_on_the_network() -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                asked.append(connection.recv(200))
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        names = [name for kind in ("http", "https", "all") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())]
        program = (
            "from tests.reports.test_digests import make_facts; from reports.digests import compose_digest\n"
            "print(len(compose_digest(make_facts()).picture))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **dict.fromkeys(names, proxy)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        server.shutdown(socket.SHUT_RDWR)
    assert int(done.stdout) > 20_000, done.stderr
    assert asked == []
