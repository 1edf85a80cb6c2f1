"""Random changes to raw tables without constraints: few salons, clients and sessions, so that rows meet often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

from tests.expectations.good_salon import MET, PRESENT, make_session_id
from tests.support.marts import make_id

Change = tuple[str, dict[str, Any]]
MOMENTS = [MET, MET + timedelta(minutes=10), MET + timedelta(hours=3), PRESENT + timedelta(hours=2)]
OWNERS = {
    "clients_v2": ("tenant_id",),
    "conversation_sessions_v2": ("tenant_id", "user_id"),
    "recent_history_v2": ("tenant_id", "user_id"),
    "wishlist_v2": ("tenant_id", "user_id"),
    "active_sessions_v2": ("tenant_id", "user_id"),
    "user_ltm_v2": ("tenant_id", "user_id"),
}
"""Which columns of a table say whose a row is."""


@dataclass(frozen=True)
class Town:
    """Three salons, seven clients and six sessions that have nothing to do with those of a town of another number."""

    number: int = 0

    @cached_property
    def tenants(self) -> list[UUID]:
        """The salons."""
        return [make_id(f"town {self.number} salon {number}") for number in range(3)]

    @cached_property
    def clients(self) -> list[UUID]:
        """The clients."""
        return [make_id(f"town {self.number} client {number}") for number in range(7)]

    @cached_property
    def sessions(self) -> list[UUID]:
        """The sessions."""
        return [make_session_id(f"town {self.number} session {number}") for number in range(6)]


def draw_changes(
    random: Random, length: int, town: Town, *, nobodys: float = 0.0, with_salons: bool = True
) -> list[Change]:
    """Return some changes in a town, statement and values, that are made one after the other.

    Those that change or delete rows may meet any town's. Salons come, go and are renamed unless told otherwise.

    ``nobodys`` is the share of values that name no salon, and of those that name no client.
    """
    operations = OPERATIONS if with_salons else [known for known in OPERATIONS if known is not change_tenant]
    changes = [random.choice(operations)(random, town) for _ in range(length)]
    for _, values in changes:
        values |= {name: None for name in ("tenant", "client") if random.random() < nobodys}
    return changes


def draw_values(random: Random, town: Town) -> dict[str, Any]:
    """Return a value for everything that statements name."""
    early, late = sorted(random.choices(MOMENTS, k=2))
    return {
        "tenant": random.choice(town.tenants[:2] * 2 + town.tenants), "client": random.choice(town.clients),
        "person": random.choice(town.clients), "salon": random.choice(town.tenants[:2]),
        "session": random.choice(town.sessions), "named": random.choice([None, *town.sessions]),
        "legacy": random.choice([None, None, *town.sessions]), "chat": random.choice([None, 1, 2, 3]),
        "whatsapp": random.choice([None, "", "7999", "7888"]), "early": early, "late": late,
        "moment": random.choice(MOMENTS), "role": random.choice(["user", "assistant", "system", None]),
        "channel": random.choice(["telegram", "telegram", None]), "count": random.choice([0, 1, 2]),
        "status": random.choice(["pending", "converted", "cancelled", "lost"]), "place": random.random(),
    }  # fmt: skip


def add_client(random: Random, town: Town) -> Change:
    """A client comes, or one who is there gets another chat."""
    return (
        "insert into clients_v2 (id, tenant_id, telegram_chat_id, whatsapp_id, created_at, updated_at) values "
        "(%(person)s, %(tenant)s, %(chat)s, %(whatsapp)s, %(moment)s, %(moment)s) on conflict (id) do update set "
        "(telegram_chat_id, whatsapp_id, created_at) = (%(chat)s, %(whatsapp)s, %(moment)s)",
        draw_values(random, town),
    )


def add_session(random: Random, town: Town) -> Change:
    """A session is archived, at times under an id that is taken."""
    return (
        "insert into conversation_sessions_v2 (session_id, tenant_id, user_id, channel, started_at, ended_at, "
        "final_status, messages_count, agent_messages_count, user_messages_count, created_at) values (%(session)s, "
        "%(tenant)s, %(client)s, %(channel)s, %(early)s, %(late)s, 'abandoned', %(count)s, 0, %(count)s, %(moment)s)",
        draw_values(random, town),
    )


def add_message(random: Random, town: Town) -> Change:
    """A message is written, in whoever's session."""
    return (
        "insert into recent_history_v2 (tenant_id, user_id, session_id, legacy_session_id, role, channel, message, "
        "created_at) values (%(tenant)s, %(client)s, %(named)s, %(legacy)s, %(role)s, %(channel)s, 'hi', %(moment)s)",
        draw_values(random, town),
    )


def add_other(random: Random, town: Town) -> Change:
    """A wish, a memory or an open session comes."""
    statement = random.choice((
        "insert into wishlist_v2 (tenant_id, user_id, item_type, item_id, status, created_at, updated_at) "
        "values (%(tenant)s, %(client)s, 'slot', '1', %(status)s, %(early)s, %(late)s)",
        "insert into user_ltm_v2 (user_id, tenant_id) values (%(client)s, %(tenant)s)",
        "insert into active_sessions_v2 (session_id, tenant_id, user_id, channel) "
        "values (%(session)s, %(tenant)s, %(client)s, 'telegram') on conflict (session_id) do nothing",
    ))  # fmt: skip
    return statement, draw_values(random, town)


def change_some(random: Random, town: Town) -> Change:
    """A row, or every third, is corrected: its owner, its session, its times, its words."""
    table, changed = random.choice((
        ("clients_v2", "tenant_id = %(tenant)s"),
        ("clients_v2", "telegram_chat_id = %(chat)s"),
        ("clients_v2", "whatsapp_id = %(whatsapp)s"),
        ("conversation_sessions_v2", "user_id = %(client)s"),
        ("conversation_sessions_v2", "tenant_id = %(tenant)s"),
        ("conversation_sessions_v2", "session_id = %(session)s"),
        ("conversation_sessions_v2", "(started_at, ended_at) = (%(early)s, %(late)s)"),
        ("conversation_sessions_v2", "(messages_count, user_messages_count) = (%(count)s, %(count)s)"),
        ("conversation_sessions_v2", "channel = %(channel)s"),
        ("recent_history_v2", "user_id = %(client)s"),
        ("recent_history_v2", "tenant_id = %(tenant)s"),
        ("recent_history_v2", "session_id = %(named)s"),
        ("recent_history_v2", "legacy_session_id = %(legacy)s"),
        ("recent_history_v2", "created_at = %(moment)s"),
        ("recent_history_v2", "role = %(role)s"),
        ("wishlist_v2", "status = %(status)s"),
        *((name, f"{column} = %({'tenant' if column == 'tenant_id' else 'client'})s")
          for name in ("wishlist_v2", "user_ltm_v2", "active_sessions_v2") for column in OWNERS[name]),
    ))  # fmt: skip
    return f"update {table} set {changed} where {pick_rows(random, table)}", draw_values(random, town)


def delete_some(random: Random, town: Town) -> Change:
    """A row, or every third, is deleted."""
    table = random.choice(list(OWNERS))
    return f"delete from {table} where {pick_rows(random, table)}", draw_values(random, town)


def move_client(random: Random, town: Town) -> Change:
    """A client moves to another salon, and some of its rows with it."""
    tables = random.sample(list(OWNERS), k=random.choice((1, 3, 6)))
    moves = [
        f"update {table} set tenant_id = %(tenant)s where {'id' if table == 'clients_v2' else 'user_id'} = %(person)s"
        for table in tables
    ]
    steps = ", ".join(f"step_{number} as ({move} returning 1)" for number, move in enumerate(moves))
    return f"with {steps} select 1", draw_values(random, town)


def change_tenant(random: Random, town: Town) -> Change:
    """A salon is renamed, or comes or goes."""
    statement = random.choice((
        "update tenants_v2 set name = case when name = '' then 'salon' else '' end where id = %(tenant)s",
        "update tenants_v2 set updated_at = %(moment)s where id = %(tenant)s",
        "delete from tenants_v2 where id = %(tenant)s",
        "insert into tenants_v2 (id, name, created_at, updated_at) values (%(salon)s, 'salon', %(moment)s, %(moment)s)"
        " on conflict (id) do nothing",
    ))  # fmt: skip
    return statement, draw_values(random, town)


def pick_rows(random: Random, table: str) -> str:
    """Return a condition for one row or a third of a table's rows."""
    if random.random() < 0.2:
        return f"abs(hashtext({table}::text)) %% 3 = 0"
    return f"ctid = (select ctid from {table} offset floor(%(place)s * (select count(*) from {table})) limit 1)"


def name_start(town: Town) -> list[Change]:
    """Return the changes that make the salons and their clients."""
    tenants = town.tenants[:2]
    return [
        ("insert into tenants_v2 (id, name, created_at, updated_at) values (%(id)s, 'salon', %(met)s, %(met)s)",
         {"id": tenant, "met": MET}) for tenant in tenants
    ] + [
        ("insert into clients_v2 (id, tenant_id, full_name, created_at, updated_at) "
         "values (%(id)s, %(tenant)s, 'x', %(met)s, %(met)s)",
         {"id": client, "tenant": tenants[number % 2], "met": MET}) for number, client in enumerate(town.clients[:-1])
    ]  # fmt: skip


OPERATIONS: tuple[Callable[[Random, Town], Change], ...] = (
    *[add_client] * 2, *[add_session] * 5, *[add_message] * 8, *[add_other] * 3, *[change_some] * 12,
    *[delete_some] * 6, *[move_client] * 2, change_tenant,
)  # fmt: skip
