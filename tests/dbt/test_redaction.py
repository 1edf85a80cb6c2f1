"""What `redacted_text` takes out of free text, what it leaves, how long hostile texts take, and that Python agrees."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from jinja2 import Environment

from agentp.redaction import FREE_TEXT_PATTERNS
from agentp.settings import DBT_PROJECT

BOT_TOKEN = "123456789:" + "AAHq_9-xYz0" * 3 + "zz"
PHONES = [
    "+7 (916) 123-45-67", "+79161234567", "89161234567", "8 (916) 123 45 67", "8-916-123-45-67", "8.916.123.45.67",
    "7 916 1234567", "916 123-45-67", "(495) 123 45 67", "8 (49624) 5-12-34", "375 29 123-45-67", "+49 151 1234 5678",
    "9161234567", "4915112345678", "375291234567", "8\u2011916\u2011123\u201145\u201167", "8 916 - 123 - 45 - 67",
    "+7\u00a0916\u00a0123\u00a045\u00a067", "+1 (415) 555-2671", "+7 9 1 6 1 2 3 4 5 6 7",
]  # fmt: skip
WIDE_PHONES = ["＋７（９１６）１２３－４５－６７", "٨٩١٦١٢٣٤٥٦٧", "+۷ ۹۱۶ ۱۲۳ ۴۵ ۶۷"]
WIDE_EMAILS = ["anna＠mail.example"]
EMAILS = ["anna@mail.example", "a.b+c%d@mail.sub.example", "почта@пример.рф", "79161234567@c.us"]
CARDS = [
    "4111 1111 1111 1111", "4111111111111111", "4111-1111-1111-1111", "3782 822463 10005",
    "2200\u00a00000\u00a00000\u00a00004", "55554444 33332222", "6759 6498 2643 8453 123",
]  # fmt: skip
SECRETS = [
    BOT_TOKEN, BOT_TOKEN.removeprefix("123"), "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "Bearer abcdefgh.ijkl", "password: hunter2", "pwd=hunter",
    "PASSWORD=hunter2", 'token": "s3cret-value"', "key = abcd1234", "Пароль: куку123", "ТОКЕН：куку123",
]  # fmt: skip
KEPT = [
    "", "2026-01-31", "31.01.2026", "31.01.2026 10:00", "2026-01-31 10:00:00", "2026-01-31T10:00:00+03:00",
    "10:00-12:00 13:00", "кабинет 8 31.01.2026 10:00", "8 2026-01-31 10:00", "8 900 31.01.26 9:00",
    "31.01.2026-02.02.2026", "2026-01-31 2026-02-01", "12 500 ₽", "1 500 000 ₽", "12 500 15 000 18 000 20 000",
    "8 500 000 – 9 500 000", "1 234 567,89", "300 350 400 450",
    "бронь 123456789", "2023 2024 2025 2026", "1 2 3 4 5 6 7 8 9 10 11 12", "ул. Ленина 12, кв. 345", "127.0.0.1:54390",
    "https://n123.example.com/company/12345/menu?o=m123", "123e4567-e89b-12d3-a456-426614174000", "ждите @anna", "a@b",
    "00000000-0000-4000-8000-000000000001", "12345678-1234-1234-1234-123456789012", "ключа нет, паролей тоже",
]  # fmt: skip
TAKEN = {"phone": [*PHONES, *WIDE_PHONES], "e-mail": [*EMAILS, *WIDE_EMAILS], "card": CARDS, "secret": SECRETS}
HOSTILE = [
    "1", "a@", "a@a.", "a@b.cc ", "1 ", "+", "+1 ", "8 ", "8 916 ", "(9", "4111 ", "123456:", "eyJ", "eyJaaaaa.",
    "token", "token ", "key:a ", "key   ", "bearer ", "a", "a.", "я", "-", "1-", "1.", " ", "a@-.",
    "00000000-0000-0000-0000-000000000000 ",
]  # fmt: skip


@pytest.fixture(scope="module")
def connection(server_url: str) -> Iterator[psycopg.Connection[tuple[str]]]:
    with psycopg.connect(server_url) as opened:
        yield opened


def render_macro() -> str:
    """Return the macro as staging has it, over a column `given.text`."""
    source = (DBT_PROJECT / "macros" / "build" / "redaction.sql").read_text(encoding="utf-8")
    return str(Environment(autoescape=False).from_string(source).module.redacted_text("given.text"))  # type: ignore[attr-defined]


def redact(connection: psycopg.Connection[tuple[str]], texts: list[str]) -> list[str]:
    query = f"select {render_macro()} from unnest(%s::text[]) with ordinality as given (text, place) order by place"
    return [row[0] for row in connection.execute(query.replace("%-", "%%-").encode(), [texts]).fetchall()]


def redact_in_python(text: str) -> str:
    for name, pattern in FREE_TEXT_PATTERNS.items():
        text = re.sub(pattern, f"[{name}]", text)
    return text


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("frame", ["{}", "мой {}, жду", "тел.{}!", "({})", "номер: {}\nи всё", "<{}>"])
def test_what_reaches_people_or_opens_doors_is_replaced(
    connection: psycopg.Connection[tuple[str]], name: str, frame: str
) -> None:
    for text, found in zip(TAKEN[name], redact(connection, [frame.format(text) for text in TAKEN[name]]), strict=True):
        assert f"[{name}]" in found, text
        assert not re.search(r"\d{2}|@|hunter|куку|abcd|eyJ", found), text


def test_dates_times_prices_and_numbers_of_bookings_stay(connection: psycopg.Connection[tuple[str]]) -> None:
    assert redact(connection, KEPT) == KEPT
    framed = [f"Запись: {text}, цена 1500 ₽" for text in KEPT]
    assert redact(connection, framed) == framed


def test_a_date_behind_a_phone_stays(connection: psycopg.Connection[tuple[str]]) -> None:
    texts = [f"{phone} 31.01.2026 в 10:00" for phone in ("+7 916 123-45-67", "8 916 123-45-67", "89161234567")]
    assert redact(connection, texts) == ["[phone] 31.01.2026 в 10:00"] * 3


def test_the_brackets_of_a_code_go_with_it(connection: psycopg.Connection[tuple[str]]) -> None:
    assert redact(connection, ["(495) 123 45 67", "8 (495) 123-45-67"]) == ["[phone]"] * 2


def test_no_uuid_is_touched(connection: psycopg.Connection[tuple[str]]) -> None:
    draw = random.Random(7)
    texts = []
    for digits in ("0123456789", "0123456789abc", "0123456789abcdef", "789a"):
        texts += [str(UUID("".join(draw.choices(digits, k=32)))) for _ in range(3000)]
    assert redact(connection, texts) == texts


def test_digits_of_other_scripts_beside_a_phone_are_shown_as_the_keyboard_has_them(
    connection: psycopg.Connection[tuple[str]],
) -> None:
    assert redact(connection, ["٨٩١٦١٢٣٤٥٦٧, ۱۲۳۴۵۶۷۸۹", "۱۲ ٦７８９0"]) == ["[phone], 123456789", "۱۲ ٦７８９0"]


def test_what_was_redacted_is_not_redacted_again(connection: psycopg.Connection[tuple[str]]) -> None:
    once = redact(connection, [f"а {text} б {other}" for texts in TAKEN.values() for text in texts for other in EMAILS])
    assert redact(connection, once) == once


def test_no_text_is_none(connection: psycopg.Connection[tuple[str]]) -> None:
    query = f"select {render_macro()} is null from (select null::text) as given (text)"
    found = connection.execute(query.encode()).fetchall()
    assert [bool(row[0]) for row in found] == [True]


@pytest.mark.parametrize("standard", ["on", "off"])
def test_the_servers_way_of_reading_strings_changes_nothing(
    connection: psycopg.Connection[tuple[str]], standard: str
) -> None:
    with connection.transaction():
        connection.execute(f"set local standard_conforming_strings = {standard}")
        connection.execute("set local escape_string_warning = off; set local backslash_quote = safe_encoding")
        assert redact(connection, ["+7\u00a0916 123-45-67, 1500 ₽"]) == ["[phone], 1500 ₽"]


@pytest.mark.parametrize("part", HOSTILE)
def test_a_hostile_megabyte_takes_no_time_to_speak_of(connection: psycopg.Connection[tuple[str]], part: str) -> None:
    text = part * (1_000_000 // len(part))
    started = time.monotonic()
    redact(connection, [text])
    assert time.monotonic() - started < 10


def test_a_megabyte_of_phones_costs_ten_times_a_tenth_of_it(connection: psycopg.Connection[tuple[str]]) -> None:
    seconds = []
    for length in (4_000, 40_000):
        started = time.monotonic()
        assert redact(connection, ["+79161234567 " * length]) == ["[phone] " * length]
        seconds.append(time.monotonic() - started)
    assert seconds[1] < 30 * seconds[0]


def test_python_and_postgres_agree(connection: psycopg.Connection[tuple[str]]) -> None:
    """Secrets and digits of other scripts aside, of which Python knows nothing; it leaves a code's bracket."""
    texts = [*PHONES, *EMAILS, *CARDS, *KEPT, *(f"тел. {phone}, карта {card}" for phone in PHONES for card in CARDS)]
    assert redact(connection, texts) == [redact_in_python(text).replace("([phone]", "[phone]") for text in texts]
