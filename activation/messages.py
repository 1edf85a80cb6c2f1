"""What clients get to read: short, polite, in Russian; and how free text written by people is made safe in it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

LONGEST_NAME = 40
"""Characters of a name, a salon or a service that a message shows."""

MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
MARKUP = re.compile(r"[<>\[\]{}*_`~|\\]")
"""What Telegram and WhatsApp would read as formatting."""
NO_NAME = re.compile(r"://|www\.|@|(?:\d\D{0,3}){5,}", re.IGNORECASE)
"""Links, handles and phones that stand where a name should."""


@dataclass(frozen=True, kw_only=True)
class WinBackText:
    """What a win-back message is made of; ``is_regular`` tells who came on several days from who came once."""

    client_name: str | None
    salon_name: str | None
    is_regular: bool


@dataclass(frozen=True, kw_only=True)
class OfferText:
    """What an offer of a slot is made of; ``visit_at`` is the salon's local time, without a zone."""

    client_name: str | None
    salon_name: str | None
    service_title: str | None
    visit_at: datetime


def make_safe(text: str | None) -> str | None:
    """Return the text on one line of at most 40 visible characters, or None where nothing readable is left.

    Control and format characters go (line breaks, marks that turn the direction of what follows), and so does what
    messengers read as formatting. Names are written by clients, so that anything may stand in them.
    """
    if not text:
        return None
    # Far more than is shown: a name of megabytes is not worth normalising.
    normal = unicodedata.normalize("NFC", text[: LONGEST_NAME * 50])
    kept = (
        " " if unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc") else character
        for character in normal
        if unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn")
    )  # fmt: skip
    line = " ".join(MARKUP.sub("", "".join(kept)).split())
    if len(line) > LONGEST_NAME:
        line = line[: LONGEST_NAME - 1].rstrip() + "…"
    return line if any(character.isalnum() for character in line) else None


def make_safe_name(name: str | None) -> str | None:
    """Return a client's name as a message may show it; None where it is none: a phone, a link, nothing but signs."""
    safe = make_safe(name)
    if safe is None or NO_NAME.search(safe) or not any(character.isalpha() for character in safe):
        return None
    return safe


def mask_name(name: str | None) -> str | None:
    """Return what people at the screen see of a name: its first letter."""
    safe = make_safe_name(name)
    return f"{safe[0]}…" if safe else None


def write_win_back(text: WinBackText) -> str:
    """Return the message that asks a client back."""
    salon = _quote(text.salon_name)
    if text.is_regular:
        where = f" в {salon}" if salon else ""
        return (
            f"{_greet(text.client_name)} Давно не виделись{where}. Будем рады видеть вас снова: "
            "напишите нам, и подберём удобное время."
        )
    where = f" в {salon}" if salon else " у нас"
    return (
        f"{_greet(text.client_name)} Спасибо, что были{where}. Хотите прийти ещё раз? "
        "Напишите нам, и подберём удобное время."
    )


def write_offer(text: OfferText) -> str:
    """Return the message that offers a slot to who waits for one."""
    salon, service = _quote(text.salon_name), make_safe(text.service_title)
    where = f" в {salon}" if salon else ""
    what = f" на услугу «{service}»" if service else ""
    return (
        f"{_greet(text.client_name)} Освободилось время{what}{where}: {describe_moment(text.visit_at)}. "
        "Записать вас? Ответьте на это сообщение."
    )


def describe_moment(moment: datetime) -> str:
    """Return a local day and time as people say it: воскресенье, 29 марта, 14:00."""
    return f"{WEEKDAYS[moment.weekday()]}, {moment.day} {MONTHS[moment.month - 1]}, {moment:%H:%M}"


def _greet(name: str | None) -> str:
    safe = make_safe_name(name)
    return f"Здравствуйте, {safe}!" if safe else "Здравствуйте!"


def _quote(salon: str | None) -> str | None:
    safe = make_safe(salon)
    return f"«{safe}»" if safe else None
