"""Words of a salon, not of a statistician: what no page, digest or reason says to an owner."""

from __future__ import annotations

import re

import pytest

from agentp.settings import DBT_PROJECT
from reports.digest_texts import TEXTS
from reports.texts import LANGUAGES, read_texts

BANNED = {
    "ru": (
        "на вылет", "закрыт(ых|ого) дн", "в пределах случайн", "уверенност", "интервал", "уилсон", "медиан", "столбц",
        "витрин", "самом узком", "закрыт по времени", r"п\. п\.", "по предположению", "воронк", r"определени[ея]\b",
        "конверси", "когорт", "квантил", "перцентил", "agentp", "цикл",
    ),
    "en": (
        "way out", "closed day", "within chance", "95%", "wilson", r"\bintervals?\b", "median", r"\bmarts?\b",
        "narrowest", "timed out", r"\bpoints\b", "presumed", "funnel", "cohort", "quantile", "agentp", r"\bcycle",
        "restated",
    ),
}  # fmt: skip
"""Patterns, whatever their case. How a figure is counted may be said in any words: it stands behind a question."""
GENDERED = {
    "ru": r"\b(был|была|пришёл|пришла|ушёл|ушла|записан|записана|записался|потратил|отменил|вернулся|вернулась)\b",
    "en": r"\b(he|she|his|her|him)\b",
}
"""Words about one client that would have to know whether it is a man or a woman; of things they are right."""
METHODS = re.compile(r"\.(definition|method)$|^kpi\.interval$")
DATA_TEAM = re.compile(r"^(table\.)?(rule|quality|runs|problem|severity|site\.utc_time|column\.(job|as_of|rule_id))")
"""Pages of the chain that its data team reads."""


def list_texts(language: str) -> dict[str, str]:
    """All that is said to owners: pages' texts, digests', and the reasons that marts give."""
    said = {key: text for key, text in read_texts(language).entries.items() if not DATA_TEAM.search(key)}
    said |= {f"digest {key}": text for key, text in TEXTS[language].items()}
    for path in ("models/agent_p/marts/clients/win_back.sql", "macros/agent_p/risk_reason.sql"):
        lines = (DBT_PROJECT / path).read_text(encoding="utf-8").splitlines()
        words = {n: re.sub(r"\w+_\w+", "", line) for n, line in enumerate(lines) if re.search("^ +(then|else) ", line)}
        said |= {f"{path} {n}": line for n, line in words.items() if "'" in line}
    return said


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_in_the_words_of_a_statistician(language: str) -> None:
    pattern = re.compile("|".join(BANNED[language]), re.IGNORECASE)
    said = {key: text for key, text in list_texts(language).items() if not METHODS.search(key)}
    assert {key: text for key, text in said.items() if pattern.search(text)} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_said_of_a_client_asks_for_their_gender(language: str) -> None:
    # Of nouns, which have a gender of their own, and of figures.
    nouns = re.compile(r"клиент|диалог|бот\b|слот|разговор|файл|график", re.IGNORECASE)
    pattern = re.compile(GENDERED[language], re.IGNORECASE)
    said = {key: text for key, text in list_texts(language).items() if not METHODS.search(key)}
    assert {key: text for key, text in said.items() if pattern.search(text) and not nouns.search(text)} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_reasons_of_the_marts_are_among_what_is_read(language: str) -> None:
    said = " ".join(list_texts(language).values())
    assert {"ru": "без визита, обычно раз в", "en": "days without a visit"}[language] in said
    assert {"ru": "запись сделана за", "en": "days ahead"}[language] in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_told_of_the_methods_stands_where_it_is_asked_for(language: str) -> None:
    methods = " ".join(text for key, text in read_texts(language).entries.items() if METHODS.search(key)).lower()
    assert {"ru": "уилсон", "en": "wilson"}[language] in methods
