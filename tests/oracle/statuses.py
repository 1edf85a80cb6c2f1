"""What bots call the state of a booking, in words of our own reading of it (docs/decisions.md, "Visits")."""

from __future__ import annotations

import re

KINDS = {
    "created": """
        created new booked pending scheduled rescheduled waiting requested 0
        создан создана создано новая новое запланирована запланировано записан записана забронировано
        ожидает ожидание ожидает+подтверждения перенесена перенесено
    """,
    "confirmed": "confirmed approved 2 подтвержден подтверждена подтверждено подтвердил подтвердила",
    "cancelled": """
        cancelled canceled cancel cancellation cancelled+early cancelled+late canceled+early canceled+late
        deleted declined
        rejected
        отменен отменена отменено отменил отменила отмена удалена удалено отказ
    """,
    "no_show": """
        no+show noshow missed not+arrived did+not+come
        не+пришел не+пришла не+явился не+явилась неявка пропущена пропущено
    """,
    "arrived": """
        arrived completed visited attended done came 1 пришел пришла завершен завершена завершено выполнена выполнено
        состоялся состоялась посетил посетила
    """,
}
KNOWN = {word.replace("+", " "): kind for kind, words in KINDS.items() for word in words.split()}
STANDING = frozenset({"created", "confirmed", "arrived"})
BY_SOMEBODY = re.compile(r" (by [a-z ]+|клиент(ом|кой)|салоном|мастером|администратором)$")


def read_kind(text: str | None) -> str | None:
    """Return what a status says: a kind, ``unknown`` for a word that nobody knows, None where there is none."""
    if text is None or not text.strip():
        return None
    if text.strip() == "-1":
        return "no_show"
    words = " ".join(re.split(r"[\s_\u2010-\u2015-]+", text.lower().replace("ё", "е"))).strip(" .")
    return KNOWN.get(BY_SOMEBODY.sub("", words), "unknown")
