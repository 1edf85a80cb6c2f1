"""How each raw table is looked at: its key, its client, and the rows elsewhere that its rules ask about."""

from __future__ import annotations

from expectations.inspections import Inspection, Lookup, Tally

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
        client="rows.user_id",
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
        is_read_in_parts=True,
    ),
    Inspection(
        "recent_history_v2", key="rows.id", label="rows.id", client="rows.user_id",
        lookups=(
            TENANT, CLIENT,
            Lookup("sessions", "conversation_sessions_v2", "session_id", "rows.session_id", client="user_id"),
            Lookup("former", "conversation_sessions_v2", "session_id", "rows.legacy_session_id", client="user_id"),
        ),
        is_read_in_parts=True,
    ),
    Inspection(
        "wishlist_v2", key="rows.id", label="rows.id", client="rows.user_id", lookups=(TENANT, CLIENT),
        may_lack=("processed_at",),
    ),
    Inspection(
        "active_sessions_v2", key="rows.session_id", label="rows.session_id", client="rows.user_id",
        lookups=(TENANT, CLIENT),
    ),
    Inspection(
        "user_ltm_v2", key="rows.user_id", label="rows.user_id", client="rows.user_id", lookups=(TENANT, CLIENT)
    ),
)  # fmt: skip
