"""Churn figures in the bot's long-term memory: public.user_ltm_v2 (seed 02, feature 2, "Изменения в LTM"; C13).

Three columns are ours: last_visit_date (UTC), avg_visit_interval (whole days; empty after a single visit) and
churn_risk_score (the seed's steps), of the person, as whichever client they came. All others belong to the bot and are
never written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from agentp.errors import SetupError

BATCH = 5_000
"""Rows a transaction: long enough to be quick, short enough never to keep the bot waiting."""
COLUMNS = ("last_visit_date", "avg_visit_interval", "churn_risk_score")


@dataclass(frozen=True, kw_only=True)
class TenantMemories:
    """What is, or would be, written to the memories of one salon's clients."""

    tenant_id: str
    updated: int
    inserted: int

    @property
    def changed(self) -> int:
        """Rows written, old and new."""
        return self.updated + self.inserted


@dataclass(frozen=True, kw_only=True)
class MemoryReport:
    """The memories of all salons; ``left_elsewhere`` rows stand under another salon than their client and are left.

    ``left_busy`` rows were being written by the bot, or changed meanwhile; the next run comes back to them.
    """

    tenants: tuple[TenantMemories, ...]
    left_elsewhere: int
    left_busy: int = 0

    @property
    def changed(self) -> int:
        """Rows over all salons."""
        return sum(tenant.changed for tenant in self.tenants)


_PLAN = """
create temporary table planned_memories as
select
    clients.tenant_id,
    clients.client_id,
    persons.last_visit_at,
    persons.avg_visit_interval,
    persons.churn_risk_score,
    memories.user_id is null as is_new,
    memories.tenant_id is distinct from clients.tenant_id and memories.user_id is not null as is_elsewhere
from dashboard.clients as clients
inner join dashboard.persons as persons
    on clients.tenant_id = persons.tenant_id and clients.person_id = persons.person_id
-- Somebody the bot has forgotten since the build has no memory to write to.
inner join public.clients_v2 as raw_clients
    on clients.client_id = raw_clients.id and clients.tenant_id = raw_clients.tenant_id
left join public.user_ltm_v2 as memories on clients.client_id = memories.user_id
where
    persons.visits_count > 0
    and (
        memories.user_id is null
        or (memories.last_visit_date, memories.avg_visit_interval, memories.churn_risk_score)
        is distinct from (persons.last_visit_at, persons.avg_visit_interval, persons.churn_risk_score)
    )
"""

# Rows that the bot holds this moment are passed over rather than waited for: who never waits is never in a deadlock, in
# which the server might end the bot's transaction. An update of three columns keeps what the bot wrote to the others.
_WRITE_BATCH = """
with chosen as (
    select planned.*
    from planned_memories as planned
    where not planned.is_elsewhere and planned.client_id > %(last)s
    order by planned.client_id
    limit %(batch)s
),
free as (
    select memories.user_id
    from public.user_ltm_v2 as memories
    inner join chosen on memories.user_id = chosen.client_id and memories.tenant_id = chosen.tenant_id
    for no key update of memories skip locked
),
updated as (
    update public.user_ltm_v2 as memories
    set
        last_visit_date = chosen.last_visit_at,
        avg_visit_interval = chosen.avg_visit_interval,
        churn_risk_score = chosen.churn_risk_score
    from chosen
    inner join free on chosen.client_id = free.user_id
    where
        memories.user_id = chosen.client_id
        and memories.tenant_id = chosen.tenant_id
        and (memories.last_visit_date, memories.avg_visit_interval, memories.churn_risk_score)
        is distinct from (chosen.last_visit_at, chosen.avg_visit_interval, chosen.churn_risk_score)
    returning memories.tenant_id, memories.user_id, false as is_new
),
inserted as (
    insert into public.user_ltm_v2
        (user_id, tenant_id, ltm_data, last_visit_date, avg_visit_interval, churn_risk_score)
    select
        chosen.client_id, chosen.tenant_id, '{}', chosen.last_visit_at, chosen.avg_visit_interval,
        chosen.churn_risk_score
    from chosen
    inner join public.clients_v2 as raw_clients
        on chosen.client_id = raw_clients.id and chosen.tenant_id = raw_clients.tenant_id
    where chosen.is_new
    order by chosen.client_id
    -- Where the bot made the row meanwhile, the next run writes to it.
    on conflict do nothing
    returning tenant_id, user_id, true as is_new
),
noted as (
    insert into written_memories (tenant_id, client_id, is_new)
    select tenant_id, user_id, is_new from updated union all select tenant_id, user_id, is_new from inserted
    returning client_id
)
select (select client_id from chosen order by client_id desc limit 1), (select count(*) from noted)
"""


def require_columns(connection: psycopg.Connection[Any]) -> None:
    """Refuse a memory table without the columns of seed 02; the cure is the migration that makes them."""
    rows = connection.execute(
        "select attname::text from pg_attribute "
        "where attrelid = to_regclass('public.user_ltm_v2') and attnum > 0 and not attisdropped"
    ).fetchall()
    missing = [column for column in COLUMNS if (column,) not in rows]
    if missing:
        raise SetupError(
            f"public.user_ltm_v2 has no column {', '.join(missing)}, so that churn figures have no place.",
            cure="Run `agentp migrate`.",
        )


def plan_memories(connection: psycopg.Connection[Any]) -> MemoryReport:
    """Note the rows that differ in a temporary table of the connection and return their counts; writes nothing else."""
    connection.execute("drop table if exists pg_temp.planned_memories")
    connection.execute(_PLAN)
    connection.execute("create index on planned_memories (client_id)")
    connection.execute("analyze planned_memories")
    rows = connection.execute(
        "select tenant_id::text, count(*) filter (where not is_new), count(*) filter (where is_new) "
        "from planned_memories where not is_elsewhere group by tenant_id order by tenant_id"
    ).fetchall()
    elsewhere = connection.execute("select count(*) from planned_memories where is_elsewhere").fetchone()
    return MemoryReport(
        tenants=tuple(TenantMemories(tenant_id=row[0], updated=row[1], inserted=row[2]) for row in rows),
        left_elsewhere=elsewhere[0] if elsewhere else 0,
    )


def write_memories(
    connection: psycopg.Connection[Any], plan: MemoryReport, *, announce: Callable[[int], None] = lambda done: None
) -> MemoryReport:
    """Write what `plan_memories` noted on this connection, a batch a transaction, in the order of clients.

    One that dies leaves whole batches; the next plans anew and finds only what is left. ``announce`` hears after each
    batch how many rows have been written.
    """
    connection.execute("create temporary table written_memories (tenant_id uuid, client_id uuid, is_new boolean)")
    connection.commit()
    done, last = 0, "00000000-0000-0000-0000-000000000000"
    while True:
        found = connection.execute(_WRITE_BATCH, {"last": last, "batch": BATCH}).fetchone()
        connection.commit()
        if found is None or found[0] is None:
            break
        last, done = found[0], done + found[1]
        announce(done)
    rows = connection.execute(
        "select tenant_id::text, count(*) filter (where not is_new), count(*) filter (where is_new) "
        "from written_memories group by tenant_id order by tenant_id"
    ).fetchall()
    connection.execute("drop table pg_temp.written_memories")
    connection.commit()
    return MemoryReport(
        tenants=tuple(TenantMemories(tenant_id=row[0], updated=row[1], inserted=row[2]) for row in rows),
        left_elsewhere=plan.left_elsewhere,
        left_busy=plan.changed - done,
    )
