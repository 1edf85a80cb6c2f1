"""What is looked at when a raw table is checked: its key, its client, and the rows elsewhere its rules ask about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lookup:
    """A row of another table, found by that table's key: `left join <table> as <alias> on <alias>.<key> = <on>`."""

    alias: str
    table: str
    key: str
    on: str


@dataclass(frozen=True)
class Tally:
    """Facts about all rows of a table that share some values with the row in question.

    ``keys`` maps that table's columns to expressions over `rows`; ``facts`` names aggregates. Over a whole
    table they are grouped once; for a few clients they are looked up by index.
    """

    alias: str
    table: str
    keys: dict[str, str]
    facts: dict[str, str]
    is_of_itself: bool = False


@dataclass(frozen=True)
class Inspection:
    """How one raw table is looked at.

    ``key`` names rows in `quality.rows_set_aside`; ``label`` names them in examples. ``client`` is NULL for
    salons themselves. ``is_linked`` says which rows hang on rows of another client, whose changes concern them too.
    """

    table: str
    key: str
    label: str
    tenant: str = "rows.tenant_id"
    client: str | None = "rows.user_id"
    lookups: tuple[Lookup, ...] = ()
    tallies: tuple[Tally, ...] = ()
    joins: tuple[str, ...] = ()
    is_linked: str = "false"


TENANT = Lookup("tenants", "tenants_v2", "id", "rows.tenant_id")
CLIENT = Lookup("clients", "clients_v2", "id", "rows.user_id")

INSPECTIONS = (
    Inspection(
        "tenants_v2", key="rows.id", label="rows.id", tenant="rows.id", client=None,
        joins=(
            "left join (select name from pg_timezone_names) as zones"
            " on zones.name = rows.metadata #>> '{settings,timezone}'",
        ),
    ),
    Inspection(
        "clients_v2", key="rows.id", label="rows.id", client="rows.id", lookups=(TENANT,),
        tallies=tuple(
            Tally(
                f"{name}_twins", "clients_v2",
                keys={"tenant_id": "rows.tenant_id", column: f"rows.{column}"},
                facts={"copies": "count(*)"}, is_of_itself=True,
            )
            for name, column in (("telegram", "telegram_chat_id"), ("whatsapp", "whatsapp_id"))
        ),
    ),
    Inspection(
        "conversation_sessions_v2", key="rows.id", label="coalesce(rows.session_id::text, 'id ' || rows.id)",
        lookups=(TENANT, CLIENT),
        tallies=(
            Tally("twins", "conversation_sessions_v2", keys={"session_id": "rows.session_id"},
                  facts={"first_id": "min(id)"}, is_of_itself=True),
            Tally(
                "history", "recent_history_v2",
                keys={"tenant_id": "rows.tenant_id", "session_id": "rows.session_id"},
                facts={
                    "messages": "count(*)",
                    "agent_messages": "count(*) filter (where role = 'assistant')",
                    "user_messages": "count(*) filter (where role = 'user')",
                },
            ),
        ),
    ),
    Inspection(
        "recent_history_v2", key="rows.id", label="rows.id",
        lookups=(
            TENANT, CLIENT,
            Lookup("sessions", "conversation_sessions_v2", "session_id", "rows.session_id"),
            Lookup("former", "conversation_sessions_v2", "session_id", "rows.legacy_session_id"),
        ),
        is_linked=" or ".join(
            f"({alias}.tenant_id, {alias}.user_id) <> (rows.tenant_id, rows.user_id)"
            for alias in ("sessions", "former")
        ),
    ),
    Inspection("wishlist_v2", key="rows.id", label="rows.id", lookups=(TENANT, CLIENT)),
    Inspection("active_sessions_v2", key="rows.session_id", label="rows.session_id", lookups=(TENANT, CLIENT)),
    Inspection("user_ltm_v2", key="rows.user_id", label="rows.user_id", lookups=(TENANT, CLIENT)),
)  # fmt: skip

ASKED_TABLES = frozenset(lookup.table for inspection in INSPECTIONS for lookup in inspection.lookups) | frozenset(
    tally.table for inspection in INSPECTIONS for tally in inspection.tallies
)
"""The tables that rows of other tables are judged by: without one of them hardly a row can be judged."""
