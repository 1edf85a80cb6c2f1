"""Nothing that is secret and nobody's address passes `scrub`; what a log is read for does (issue 7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentp.redaction import FREE_TEXT_HINT, FREE_TEXT_PATTERNS, scrub, scrub_error
from tests.support.redaction import CARDS, E_MAILS, FRAMES, KEPT, PHONES, TAKEN

SECRET = "Canary-s3cret!9"
BOT_TOKEN = "123456789:" + "AAHq_9-xYz0" * 3 + "zz"
KEYS = (
    "token", "user_token", "bot_token", "webhookSecret", "X-Api-Key", "apikey", "private_key", "password", "db.passwd",
    "credentials", "Authorization", "cookie", "webhook_url", "client secret", "access key", "PWD", "пароль",
)  # fmt: skip
SECRETS = [
    f"postgresql://me:{SECRET}@db.example:5432/x", f"postgresql://me:{SECRET}@{SECRET}@db/x", f"redis://:{SECRET}@db",
    f"postgresql://me:a b/{SECRET} @{SECRET}<>'x@db.example:5432/x", f"postgresql://me:1/{SECRET}@{SECRET}@db/x",
    f"no connection to postgres://me:{SECRET}", f"host=db password={SECRET} user=me", f"password='{SECRET} {SECRET}'",
    rf"password='{SECRET}\' {SECRET}' host=db", f"connect(password='{SECRET}', port=1)", f"?access_token={SECRET}&x=1",
    f"Authorization: Bearer {SECRET}", f"authorization: Basic {SECRET} {SECRET}", f"Cookie: a={SECRET}; b={SECRET}",
    f"https://hooks.slack.com/services/{SECRET}", f'"token"=>"{SECRET}"', f'{{"token": "a\\"{SECRET}"}}',
    f'{{"secrets": ["{SECRET}}}", {{"a": "{SECRET}"}}, "{SECRET}"], "id": 5}}', f"with bearer {SECRET.strip('!9')}xyz",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
]  # fmt: skip
SHAPES = [BOT_TOKEN, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "sk-" + "a1" * 12, "ghp_" + "a1" * 12]
LOGGED = [
    "00000000-0000-4000-8000-000000000001", "89161234-567a-4111-8111-111111111111", "2026-02-28T10:00:00.123456+00:00",
    "12345678-1234-1234-1234-123456789012", "2026-02-28 10:00:00+03 2026-03-01 00:00", "1,234,567,890",
    "12 345 678 901", "0.9931234567890", "me@127.0.0.1:5432/x", "me@db.example.com:5432/x", "127.0.0.1:54390",
    "process 9123 2026-11-21", "9123456 rows in 12 s", "7 8 9 10 11 12 13", "http://127.0.0.1:3000/runs",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "message 123456789", "postgresql://db:5432/x",
    "6011 1111 1111 1112 fails its check digit", "tokens are read; a password was refused for me",
]  # fmt: skip


def replace_free_text(text: str) -> str:
    for name, pattern in FREE_TEXT_PATTERNS.items():
        text = re.sub(pattern, f"[{name}]", text)
    return text


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_go(text: str) -> None:
    found = scrub(text)
    assert "anary" not in found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (r'{"token": "a\\", "n": 1}', '{"token": "***", "n": 1}'),
        (r'{"token": "a\"b", "n": 1}', '{"token": "***", "n": 1}'),
        (r'"{\"token\": \"a\", \"n\": 1}"', r'"{\"token\": \"***\", \"n\": 1}"'),
        ('{"credentials": {"a": "}", "b": [1]}, "n": 1}', '{"credentials": ***, "n": 1}'),
        ('{"pwd": 12, "n": "", "token": "", "m": 1}', '{"pwd": ***, "n": "", "token": "***", "m": 1}'),
        ("connect(password='a''b', port=1)", "connect(password='***', port=1)"),
        ("password=a host=b", "password=*** host=b"),
        ("postgresql://me:a@db:5432/x?b=c", "postgresql://me:***@db:5432/x?b=c"),
    ],
)
def test_nothing_beside_a_secret_goes(text: str, shown: str) -> None:
    assert scrub(text) == shown


@pytest.mark.parametrize("text", SHAPES)
def test_what_has_the_shape_of_a_secret_goes_without_a_key(text: str) -> None:
    assert scrub(f"sent to {text}, twice") == "sent to ***, twice"


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("frame", [*FRAMES, "id:{}\n", "@anna_{}"])
def test_addresses_and_cards_go(name: str, frame: str) -> None:
    for text in TAKEN[name]:
        found = scrub(frame.format(text))
        assert f"[{name}]" in found, text
        assert not re.search(r"\d{2}|@(?!anna_|\[)", found), text


@pytest.mark.parametrize("text", [*KEPT, *LOGGED])
def test_what_a_log_is_read_for_stays(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize("text", [*PHONES, *E_MAILS, *CARDS])
def test_the_hint_misses_nothing_that_a_pattern_finds(text: str) -> None:
    assert re.search(FREE_TEXT_HINT, text)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.sampled_from(["Иван", 'a"b', "c'd", "e\\f", "", "}", "]{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b c"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
spellings: list[Callable[[object], str]] = [
    json.dumps, repr, lambda value: json.dumps(json.dumps(value)),
    lambda value: json.dumps(json.dumps(json.dumps(value))),
    lambda value: json.dumps(value, ensure_ascii=False, indent=1), lambda value: json.dumps(value).replace('"', '""'),
    lambda value: repr(json.dumps(value)), lambda value: json.dumps({"text": repr(value)}),
]  # fmt: skip


@given(
    before=values, after=values, held=values, key=st.sampled_from(KEYS), spell=st.sampled_from(spellings),
    cut=st.integers(0, 40),
)  # fmt: skip
def test_what_stands_under_a_secrets_key_goes_however_it_is_written(
    before: object, after: object, held: object, key: str, spell: Callable[[object], str], cut: int
) -> None:
    secret = {"deep": [held, "CANARY", held]} if held else "CANARY"
    text = spell({"first": before, "outer": {key: secret}, "last": after})
    place = text.index("CANARY") + len("CANARY")
    for shown in (text, text[: place + cut]):
        found = scrub(shown)
        assert "CANARY" not in found
        assert scrub(found) == found


@given(st.text(alphabet="0123456789+-() .@aж:/_", max_size=40))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ('invalid input syntax for type integer: "Anna"\nLINE 1: …', "invalid input syntax for type integer: …"),
        ('time zone "Anna" not recognized', "time zone … not recognized"),
        ('value "79" is out of range', "value … is out of range"),
        ("\n  Failing row contains (7, Anna).", "Failing row contains …."),
        ("duplicate key\nDETAIL:  Key (full_name)=(Anna) already exists.", "duplicate key"),
        ("Key (phone)=(Anna) already exists.", "Key (phone)=… already exists."),
        ("", ""),
    ],
)
def test_an_error_of_the_database_is_its_first_line_without_values(error: str, shown: str) -> None:
    assert scrub_error(error) == shown


def test_postgres_finds_what_python_finds(server_url: str) -> None:
    texts = [*PHONES, *E_MAILS, *CARDS, *LOGGED, *(f"тел{phone}а {card}" for phone in PHONES for card in CARDS)]
    query = "select regexp_replace(%s, %s, %s, 'g')"
    with psycopg.connect(server_url) as connection:
        for text in texts:
            found = text
            for name, pattern in FREE_TEXT_PATTERNS.items():
                row = connection.execute(query, (found, pattern, f"[{name}]")).fetchone()
                assert row is not None
                found = row[0]
            assert found == replace_free_text(text)
            row = connection.execute("select %s ~ %s", (text, FREE_TEXT_HINT)).fetchone()
            assert row == (bool(re.search(FREE_TEXT_HINT, text)),)
