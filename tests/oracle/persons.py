"""Which clients of a salon are one person (docs/decisions.md, "Persons")."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from tests.oracle.records import Client, Row
from tests.oracle.sessions import clean_text

MOST_CLIENTS = 3
People = dict[tuple[UUID, UUID], UUID]
"""The person, by salon and client."""


def identify_persons(clients: Iterable[Client]) -> People:
    """Return who each client is: the oldest of those who may be one person."""
    phones: dict[tuple[UUID, str], list[Client]] = defaultdict(list)
    for client in clients:
        phones[client.tenant_id, read_phone(client.phone) or str(client.id)].append(client)
    people: People = {}
    for (tenant_id, _), found in phones.items():
        oldest = min(found, key=lambda client: (client.created_at, client.id.int))
        names = {name.split()[0].lower() for client in found if (name := clean_text(client.full_name))}
        is_one = len(found) <= MOST_CLIENTS and len(names) <= 1
        people.update({(tenant_id, client.id): oldest.id if is_one else client.id for client in found})
    return people


def read_phone(text: str | None) -> str | None:
    """Return a phone as digits from the country's code on; None for what is none."""
    signs = "".join(sign for sign in text or "" if sign == "+" or sign in "0123456789")
    digits = signs.lstrip("+")
    is_abroad = signs.startswith("+")
    if not is_abroad and digits.startswith("00"):
        is_abroad, digits = True, digits[2:]
    if not is_abroad and re.fullmatch("8[0-9]{10}", digits):
        digits = "7" + digits[1:]
    return digits if re.fullmatch("[0-9]{10,15}", digits) else None


def name_person(people: People, row: Row) -> UUID:
    """Return who the client of a row is; one without a row is nobody else."""
    client: UUID = row["client_id"]
    return people.get((row["tenant_id"], client), client)


def compute_person_days(people: People, sessions: list[Row]) -> list[Row]:
    """Return the rows of `int_person_days`: the days on which archived sessions of a person started."""
    days: dict[tuple[UUID, UUID], set[date]] = defaultdict(set)
    for row in sessions:
        if not row["is_inferred"]:
            days[row["tenant_id"], name_person(people, row)].add(row["started_day"])
    return [
        {"tenant_id": tenant_id, "person_id": person_id, "day": day, "is_first_day": day == min(found)}
        for (tenant_id, person_id), found in days.items()
        for day in found
    ]


def count_persons(days: list[Row], person_days: list[Row]) -> list[Row]:
    """Return tenant-days with how many persons wrote on them, and how many for the first time."""
    found: dict[tuple[UUID, date], list[bool]] = defaultdict(list)
    for row in person_days:
        found[row["tenant_id"], row["day"]].append(row["is_first_day"])
    return [
        {
            **row,
            "unique_persons": len(found[row["tenant_id"], row["day"]]),
            "new_persons": sum(found[row["tenant_id"], row["day"]]),
        }
        for row in days
    ]
