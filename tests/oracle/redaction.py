"""What people wrote without how to reach them, by hand: the words of a text, the digits of a run (issue 7, "Secrets").

Written from the description, for the texts that the tests draw: phones behind +7, 8 or 0 with what stands between
their digits, e-mail addresses, cards of sixteen digits, and what follows a word for a password.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.oracle.records import Message, Session, Wish, World

BETWEEN = " \u00a0()-./\n"
WORDS = ("password: ", "пароль: ")
SHOWN_OF_WISHES = ("service_title", "staff_name", "time_preference")


def redact_world(world: World) -> World:
    """Return the world with every free text as the marts may show it; ids, names of people and phones' columns stay."""
    return replace(
        world,
        sessions=tuple(map(redact_session, world.sessions)),
        messages=tuple(map(redact_message, world.messages)),
        wishes=tuple(map(redact_wish, world.wishes)),
    )


def redact_session(session: Session) -> Session:
    """Return the session with its texts redacted."""
    return replace(
        session,
        channel=redact_text(session.channel),
        final_status=redact_text(session.final_status),
        final_intent=redact_text(session.final_intent),
        final_summary=redact_text(session.final_summary),
        booking_source=redact_text(session.booking_source),
        booking_status=redact_text(session.booking_status),
    )


def redact_message(message: Message) -> Message:
    """Return the message with its texts redacted."""
    return replace(
        message,
        role=redact_text(message.role),
        channel=redact_text(message.channel),
        message=redact_text(message.message),
    )


def redact_wish(wish: Wish) -> Wish:
    """Return the wish with what `meta` says in words redacted."""
    if not isinstance(wish.meta, dict):
        return wish
    return replace(wish, meta={key: redact_told(key, value) for key, value in wish.meta.items()})


def redact_told(key: str, value: Any) -> Any:
    """Return a value of a wish's `meta`; only words are redacted."""
    return redact_text(value) if key in SHOWN_OF_WISHES and isinstance(value, str) else value


def redact_text(text: Any) -> Any:
    """Return the text with secrets, e-mail addresses, cards and phones replaced; no text is none."""
    if not text:
        return text
    text = hide_secrets(text)
    text = " ".join("[e-mail]" if is_email(word) else word for word in text.split(" "))
    return hide_numbers(text)


def hide_secrets(text: str) -> str:
    """Replace a word for a password, with what follows it up to the next blank."""
    for word in WORDS:
        before, found, after = text.partition(word)
        if found:
            text = f"{before}[secret]{after[len(after.split(' ')[0]) :]}"
    return text


def is_email(word: str) -> bool:
    """Whether a word is an address: something, an at, and a domain with a point."""
    local, _, domain = word.partition("@")
    return bool(local) and "." in domain


def hide_numbers(text: str) -> str:
    """Replace runs of digits that are a card (sixteen) or a phone (eleven behind a plus, 7 or 8; ten behind a 0)."""
    shown, place = "", 0
    while place < len(text):
        if text[place].isdigit() or text[place] == "+":
            end, digits = read_run(text, place)
            name = name_run(digits, text[place] == "+")
            shown += f"[{name}]" if name else text[place:end]
            place = end
        else:
            shown += text[place]
            place += 1
    return shown


def read_run(text: str, place: int) -> tuple[int, str]:
    """Return where a run of digits ends, blanks, brackets, points and dashes between them, and the digits."""
    end, digits = place + 1, text[place].strip("+")
    for index in range(place + 1, len(text)):
        if text[index].isdigit():
            end, digits = index + 1, digits + text[index]
        elif text[index] not in BETWEEN:
            break
    return end, digits


def name_run(digits: str, has_plus: bool) -> str | None:
    """Return what a run of digits is, None where it is a day, a price or an id."""
    if len(digits) == 16:
        return "card"
    if len(digits) == 11 and (has_plus or digits[0] in "78"):
        return "phone"
    if len(digits) == 10 and digits[0] == "0":
        return "phone"
    return None
