"""Who is to be forgotten, and by what they would be known: ids, names, phones, chats, e-mails (issue 7)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from typing import Any
from uuid import UUID

import phonenumbers
import psycopg
from psycopg import sql

REMOVED = "[removed]"
"""What stands where a person's words or name stood."""
SHORTEST_NAME = 5
SHORTEST_NUMBER = 7
MOST_WORDS = 3
"""Words of a name that are looked for in every order: first name, patronymic, surname."""
LONG_NUMBER = 10
"""Digits that are a phone whatever stands before them; fewer are one only by themselves or behind a country's code."""
BETWEEN_WORDS = r"(?:\W|\\[bfnrt]|\\u[0-9a-fA-F]{{4}}{})+"
"""What stands between words, also as JSON writes it."""
BEFORE_WORDS = r"(?:(?<!\w)|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4}))"
_SPACED = "[ ().-]{0,3}"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True)
class Term:
    """One thing that a person is known by: ``sort`` for people to read, ``pattern`` for Postgres and Python alike.

    ``hint`` is a word, or digits in a row, without which the pattern cannot be there: looked for first, it is quick.
    ``is_shared_here`` says that rows of others of the same salon hold it too, ``is_shared`` that any salon's do: then
    finding it says nothing of this person.
    """

    sort: str
    pattern: str
    hint: str
    is_number: bool = False
    is_shared_here: bool = False
    is_shared: bool = False

    def write_test(self, words: sql.Composable) -> sql.Composed:
        """Return the condition that a text of Postgres says it."""
        first = "translate({words}, ' ().-', '') like {hint}" if self.is_number else "{words} ilike {hint}"
        return sql.SQL("(" + first + " and {words} ~* {pattern})").format(  # constants of this module alone
            words=words, hint=f"%{self.hint}%", pattern=self.pattern
        )


@dataclass(frozen=True, kw_only=True)
class Person:
    """A client to forget: the id, the id of nobody that takes its place, and what else they are known by.

    ``is_alone`` says that the id is one salon's alone, so that every row that names it is theirs.
    """

    client_id: UUID
    nobody_id: UUID
    tenant_id: UUID
    terms: tuple[Term, ...] = ()
    is_alone: bool = True

    def list_patterns(self, *, is_here: bool = True) -> list[Term]:
        """Return what tells of nobody else, in the salon or, with ``is_here`` false, in any."""
        return [term for term in self.terms if not (term.is_shared_here if is_here else term.is_shared)]

    def write_pattern(self, *, is_here: bool = True) -> str:
        """Return one regular expression for the id and everything that tells of nobody else."""
        return "|".join([str(self.client_id), *(term.pattern for term in self.list_patterns(is_here=is_here))])

    def write_test(self, words: sql.Composable, *, is_here: bool = True) -> sql.Composed:
        """Return the condition that a text says the id or what tells of nobody else."""
        tests = [term.write_test(words) for term in self.list_patterns(is_here=is_here)]
        return sql.SQL("({})").format(
            sql.SQL(" or ").join([sql.SQL("{} like {}").format(words, f"%{self.client_id}%"), *tests])
        )

    def write_terms(self) -> list[dict[str, Any]]:
        """Return the terms as JSON, for who takes up what was begun."""
        return [asdict(term) for term in self.terms]


def read_terms(connection: psycopg.Connection[Any], client_id: UUID, *, tenant_id: UUID | None) -> tuple[Term, ...]:
    """Return what the raw tables know the client by; what is too short to tell of anybody is left out."""
    values = {"client": client_id, "tenant": tenant_id}
    people = connection.execute(
        "select full_name, phone, whatsapp_id, telegram_chat_id::text, yclients_client_id::text, meta::text "
        "from public.clients_v2 where id = %(client)s and tenant_id is not distinct from "
        "coalesce(%(tenant)s, tenant_id)",
        values,
    ).fetchall()
    wishes = connection.execute(
        "select distinct meta ->> 'client_name', meta ->> 'client_phone' from public.wishlist_v2 "
        "where user_id = %(client)s and tenant_id is not distinct from coalesce(%(tenant)s, tenant_id)",
        values,
    ).fetchall()
    found: list[Term | None] = []
    for name, phone, whatsapp, telegram, yclients, meta in people:
        found += [
            *_write_names("name", name), *_write_phones("phone", phone), *_write_phones("WhatsApp id", whatsapp),
            _write_number("Telegram id", telegram), _write_number("YClients id", yclients),
            *(_write_words("e-mail", email) for email in _EMAIL.findall(meta or "")),
        ]  # fmt: skip
    for name, phone in wishes:
        found += [*_write_names("name", name), *_write_phones("phone", phone)]
    return tuple({term.pattern: term for term in found if term is not None}.values())


def find_shared(
    connection: psycopg.Connection[Any], person: Person, tables: Iterable[tuple[str, str, str]],
    *, ids: Sequence[UUID], spoken: Collection[str],
) -> tuple[Term, ...]:  # fmt: skip
    """Return the person's terms, each with whether rows of others hold it too.

    ``tables`` are raw tables with the columns of their salon and client; ``ids`` are the clients who go with the
    person. Two clients of one name are two people: what names both cannot be looked for. In the ``spoken`` columns
    somebody only speaks of a person.
    """
    if not person.terms:
        return ()
    here, anywhere = [False] * len(person.terms), [False] * len(person.terms)
    words = sql.SQL("words")
    any_term = sql.SQL(" or ").join(term.write_test(words) for term in person.terms)
    for table, tenant, client in tables:
        counts = [
            sql.SQL(
                "coalesce(bool_or({term} and tenant_id is not distinct from {tenant}), false), "
                "coalesce(bool_or({term}), false)"
            ).format(term=term.write_test(words), tenant=person.tenant_id)
            for term in person.terms
        ]
        row = connection.execute(
            sql.SQL(
                "select {counts} from (select rows.{tenant} as tenant_id, (to_jsonb(rows) - {spoken}::text[])::text "
                "as words from (select *, rows::text as words from public.{table} as rows) as rows "
                "where ({client} is null or {client} <> all({ids})) and ({any_term})) as others"
            ).format(
                spoken=[*spoken, "words"],
                counts=sql.SQL(", ").join(counts), tenant=sql.Identifier(tenant), table=sql.Identifier(table),
                client=sql.SQL("rows.{}").format(sql.Identifier(client)), ids=list(ids), any_term=any_term,
            )
        ).fetchone()  # fmt: skip
        for place in range(len(person.terms)):
            here[place] |= bool(row and row[2 * place])
            anywhere[place] |= bool(row and row[2 * place + 1])
    # The orders of a name's words are one name: they have the sort and the hint.
    names = [(term.sort, term.hint) for term in person.terms]
    shared_here = {name for name, is_here in zip(names, here, strict=True) if is_here}
    shared = {name for name, is_anywhere in zip(names, anywhere, strict=True) if is_anywhere}
    return tuple(
        replace(term, is_shared_here=name in shared_here, is_shared=name in shared)
        for term, name in zip(person.terms, names, strict=True)
    )


def _write_name(sort: str, text: str | None) -> Term | None:
    return _write_words(sort, text or "")


def _write_names(sort: str, text: str | None) -> list[Term | None]:
    """A name as it stands and in every other order of its words: whether the surname comes first is a habit."""
    words = re.findall(r"\w+", text or "")
    orders: Iterable[tuple[str, ...]] = permutations(words) if 1 < len(words) <= MOST_WORDS else ()
    return [
        _write_name(sort, text),
        *(_write_words(sort, " ".join(order)) for order in orders if list(order) != words),
    ]


def _write_words(sort: str, text: str) -> Term | None:
    """Words one after another, whatever stands between them: quotation marks are doubled in the text of a row."""
    text = text.strip()
    pieces = re.split(r"(\w+)", text)
    words, between = pieces[1::2], pieces[2:-2:2]
    if sum(map(len, words)) < SHORTEST_NAME:
        return None
    # What is a letter to Postgres may be none to Python, such as an accent by itself: as it stands it is found too.
    joints = [BETWEEN_WORDS.format("|".join(["", *map(re.escape, sorted(set(signs)))])) for signs in between]
    pattern = words[0] + "".join(joint + word for joint, word in zip(joints, words[1:], strict=True))
    before = BEFORE_WORDS if pieces[0] == "" else ""
    return Term(
        sort, before + pattern + (r"(?!\w)" if pieces[-1] == "" else ""), max(words, key=lambda word: (len(word), word))
    )


def _write_number(sort: str, text: str | None) -> Term | None:
    digits = re.sub(r"[^0-9]", "", text or "")
    if len(digits) < SHORTEST_NUMBER:
        return None
    return Term(sort, rf"(?<![0-9]){digits}(?![0-9])", digits, is_number=True)


def _write_phones(sort: str, text: str | None) -> list[Term | None]:
    """A phone without its country's code, which some write and some do not; as it stands where it may have none."""
    digits = re.sub(r"[^0-9]", "", text or "")
    if len(digits) < SHORTEST_NUMBER:
        return [_write_name(sort, text)]
    number = _read_number(text or "", digits)
    national = phonenumbers.national_significant_number(number) if number else ""
    found: list[Term | None] = []
    if number and len(national) >= SHORTEST_NUMBER:
        found.append(_write_digits(sort, national, code=str(number.country_code)))
    if not found or len(digits) <= LONG_NUMBER:
        found.append(_write_digits(sort, digits[-LONG_NUMBER:], code=""))
    return found


def _write_digits(sort: str, digits: str, *, code: str) -> Term:
    # People dial a 0 before a number of their own country.
    before = f"(?<![0-9])(?:(?:00)?{_SPACED.join(code)}{_SPACED}|0{_SPACED})?" if code else "(?<![0-9])"
    if len(digits) >= LONG_NUMBER:
        before = ""
    return Term(sort, before + _SPACED.join(digits) + "(?![0-9])", digits, is_number=True)


def _read_number(text: str, digits: str) -> phonenumbers.PhoneNumber | None:
    """Read a phone as persons are told apart by it: 00 for a plus, 8 for +7, and a plus where it may be left out."""
    is_certain = text.strip()[:1] in "+\uff0b"
    if not is_certain:
        digits = re.sub(r"^8([0-9]{10})$", r"7\1", digits.removeprefix("00"))
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return None
    is_one = phonenumbers.is_possible_number if is_certain else phonenumbers.is_valid_number
    return number if is_one(number) else None
