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

from agentp.redaction import FREE_TEXT_PATTERNS, scrub
from agentp.settings import DBT_PROJECT
from tests.support.redaction import CARDS, E_MAILS, FRAMES, KEPT, PHONES, UNSEEN, list_library_phones

BOT_TOKEN = "123456789:" + "AAHq_9-xYz0" * 3 + "zz"
WIDE_PHONES = ["＋７（９１６）１２３－４５－６７", "٨٩١٦١٢٣٤٥٦٧", "+۷ ۹۱۶ ۱۲۳ ۴۵ ۶۷"]
WIDE_EMAILS = ["anna＠mail.example"]
SECRETS = [
    BOT_TOKEN, BOT_TOKEN.removeprefix("123"), "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "Bearer abcdefgh.ijkl", "password: hunter2", "pwd=hunter",
    "PASSWORD=hunter2", 'token": "s3cret-value"', "key = abcd1234", "Пароль: куку123", "ТОКЕН：куку123",
]  # fmt: skip
TAKEN = {
    "phone": [*PHONES, *WIDE_PHONES], "e-mail": [*E_MAILS, *WIDE_EMAILS], "card": CARDS, "secret": SECRETS,
}  # fmt: skip
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
    source = (DBT_PROJECT / "macros" / "engine" / "redaction.sql").read_text(encoding="utf-8")
    return str(Environment(autoescape=False).from_string(source).module.redacted_text("given.text"))  # type: ignore[attr-defined]


def redact(connection: psycopg.Connection[tuple[str]], texts: list[str]) -> list[str]:
    query = f"select {render_macro()} from unnest(%s::text[]) with ordinality as given (text, place) order by place"
    return [row[0] for row in connection.execute(query.replace("%-", "%%-").encode(), [texts]).fetchall()]


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("frame", FRAMES)
def test_what_reaches_people_or_opens_doors_is_replaced(
    connection: psycopg.Connection[tuple[str]], name: str, frame: str
) -> None:
    for text, found in zip(TAKEN[name], redact(connection, [frame.format(text) for text in TAKEN[name]]), strict=True):
        assert f"[{name}]" in found, text
        assert not re.search(r"\d{2}|@|hunter|куку|abcd|eyJ", found), text


def test_dates_times_prices_and_numbers_of_bookings_stay(connection: psycopg.Connection[tuple[str]]) -> None:
    assert redact(connection, list(KEPT)) == list(KEPT)
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
    taken = [text for texts in TAKEN.values() for text in texts]
    once = redact(connection, [f"а {text} б {other}" for text in taken for other in E_MAILS])
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
    """Secrets and digits of other scripts aside, which Python finds its own way or not at all."""
    framed = [frame.format(text) for text in (*PHONES, *E_MAILS) for frame in FRAMES if frame != "тел.{}!"]
    texts = [*framed, *CARDS, *KEPT, *(f"тел. {phone}, карта {card}" for phone in PHONES for card in CARDS)]
    assert redact(connection, texts) == [scrub(text) for text in texts]


def test_the_pattern_of_phones_is_one_text_in_both_languages() -> None:
    source = (DBT_PROJECT / "macros" / "engine" / "redaction.sql").read_text(encoding="utf-8")
    macros = Environment(autoescape=False).from_string(source).module
    assert str(macros.phone_pattern()) == FREE_TEXT_PATTERNS["phone"]  # type: ignore[attr-defined]


def test_phones_of_every_country_are_found_as_the_library_writes_them(
    connection: psycopg.Connection[tuple[str]],
) -> None:
    texts = list_library_phones()
    found = redact(connection, [f"тел. {text}, жду" for text in texts])
    assert [(text, shown) for text, shown in zip(texts, found, strict=True) if re.search("[0-9]", shown)] == []
    assert found == [scrub(f"тел. {text}, жду") for text in texts]


def test_what_nobody_sees_beside_a_phone_may_stay(connection: psycopg.Connection[tuple[str]]) -> None:
    assert {UNSEEN.sub("", shown) for shown in redact(connection, list(PHONES))} == {"[phone]"}
