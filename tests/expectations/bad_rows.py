"""For every rule of the data standard one fault: a small change to a good salon that breaks this rule.

The names in the statements are those of `good_salon.name_rows`, with `neighbour_…` for the salon next door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from tests.expectations.good_salon import MET, PRESENT, name_rows
from tests.expectations.tables import TABLES

NEIGHBOUR = "neighbour"
TOMORROW = PRESENT + timedelta(days=1)


@dataclass(frozen=True)
class Fault:
    """One change that breaks one rule; ``filed_under`` says whose the broken row is then."""

    statement: str
    filed_under: Literal["tenant", "stranger", "nobody"] = "tenant"


def name_values(salon: str) -> dict[str, Any]:
    """Return what a fault's statement may name."""
    neighbours = {f"neighbour_{name}": value for name, value in name_rows(NEIGHBOUR).items()}
    return {**name_rows(salon), **neighbours, "met": MET, "tomorrow": TOMORROW}


def set_tenant(change: str) -> Fault:
    """Change the salon."""
    return Fault(f"update tenants_v2 set {change} where id = %(tenant)s")


def set_setting(path: str, value: str) -> Fault:
    """Change one value of the salon's metadata."""
    return set_tenant(f"metadata = jsonb_set(metadata, '{{{path}}}', '{value}')")


def set_client(change: str) -> Fault:
    """Change Olga."""
    return Fault(f"update clients_v2 set {change} where id = %(olga)s")


def set_session(name: str, change: str) -> Fault:
    """Change one archived session: done (4 messages, booked), abandoned (2 messages) or closed (none)."""
    return Fault(f"update conversation_sessions_v2 set {change} where session_id = %({name})s")


def set_message(change: str) -> Fault:
    """Change the first message of Anna's session."""
    return Fault(f"update recent_history_v2 set {change} where session_id = %(done)s and created_at = %(met)s")


def set_wish(status: str, change: str) -> Fault:
    """Change the wish that is pending, converted or cancelled."""
    return Fault(f"update wishlist_v2 set {change} where tenant_id = %(tenant)s and status = '{status}'")


def set_wished(key: str, value: str) -> Fault:
    """Change one value of the pending wish's meta."""
    return set_wish("pending", f"meta = jsonb_set(meta, '{{{key}}}', '{value}')")


def set_memory(change: str) -> Fault:
    """Change what is remembered of Anna."""
    return Fault(f"update user_ltm_v2 set {change} where user_id = %(anna)s")


def add_session(*, session: str = "%(new_session)s", tenant: str = "%(tenant)s", client: str = "%(vera)s") -> str:
    """Return SQL for one more session, without messages."""
    return (
        "insert into conversation_sessions_v2 (session_id, tenant_id, user_id, channel, started_at, ended_at, "
        "duration_sec, final_status, messages_count, agent_messages_count, user_messages_count, meta, created_at) "
        f"values ({session}, {tenant}, {client}, 'telegram', %(met)s, %(met)s, 0, 'abandoned', 0, 0, 0, "
        "jsonb_build_object('drop_off_stage', 'time_selection'), %(met)s)"
    )


def add_message(*, session: str, tenant: str = "%(tenant)s", client: str = "%(anna)s") -> str:
    """Return SQL for one more message."""
    return (
        "insert into recent_history_v2 (tenant_id, user_id, session_id, role, channel, message, created_at) "
        f"values ({tenant}, {client}, {session}, 'user', 'telegram', 'hello', %(met)s)"
    )


ADDITIONS = {
    "clients": "insert into clients_v2 (id, tenant_id, full_name, created_at, updated_at) "
    "values (%(new)s, {tenant}, 'Zoya', %(met)s, %(met)s)",
    "sessions": add_session(tenant="{tenant}", client="{client}"),
    "messages": add_message(session="%(done)s", tenant="{tenant}", client="%(anna)s"),
    "wishes": "insert into wishlist_v2 (tenant_id, user_id, item_type, item_id, meta, created_at, updated_at) values "
    "({tenant}, {client}, 'slot_waiting', 'service_1', "
    "jsonb_build_object('date', '2026-02-28', 'service_id', '1'), %(met)s, %(met)s)",
    "open_sessions": "insert into active_sessions_v2 (session_id, tenant_id, user_id, channel) "
    "values (%(new_session)s, {tenant}, {client}, 'telegram')",
    "memories": "insert into user_ltm_v2 (user_id, tenant_id) values ({client}, {tenant})",
}
"""One more row of each table, of a salon and client that may be anyone's."""


def list_reference_faults() -> dict[str, Fault]:
    """Return the faults of the rules that all tables of a salon's rows share."""
    faults = {}
    for prefix, addition in ADDITIONS.items():
        nobodys, strangers = (addition.format(tenant=tenant, client="%(vera)s") for tenant in ("null", "%(stranger)s"))
        faults[f"{prefix}.tenant_id_present"] = Fault(nobodys, filed_under="nobody")
        faults[f"{prefix}.tenant_exists"] = Fault(strangers, filed_under="stranger")
        for rule, client in (
            ("client_id_present", "null"),
            ("client_exists", "%(stranger)s"),
            ("client_same_tenant", "%(neighbour_vera)s"),
        ):
            if prefix == "messages":
                # One more message would not match the session's counts.
                faults[f"{prefix}.{rule}"] = set_message(f"user_id = {client}")
            elif prefix != "clients":
                faults[f"{prefix}.{rule}"] = Fault(addition.format(tenant="%(tenant)s", client=client))
    return faults


BOOKING = (
    "(booking_id, booking_source, booking_status, booking_datetime, booking_amount, booking_currency)"
    " = ('1', 'manual', 'confirmed', %(met)s, 100, 'RUB')"
)
ROW_FAULTS: dict[str, Fault] = {
    **list_reference_faults(),
    "tenants.name_present": set_tenant("name = ' '"),
    "tenants.texts_short": set_tenant("name = repeat('x', 301)"),
    "clients.texts_short": set_client("full_name = repeat('x', 301)"),
    "sessions.texts_short": set_session("closed", "final_summary = repeat('x', 1000001)"),
    "messages.texts_short": set_message("message = repeat('x', 1000001)"),
    "wishes.texts_short": set_wish("pending", "comment = repeat('x', 1000001)"),
    "tenants.is_active_present": set_tenant("is_active = null"),
    "tenants.metadata_is_object": set_tenant("metadata = '[]'"),
    "tenants.yclients_complete": set_setting("yclients,branch_id", "789012"),
    "tenants.telegram_complete": set_setting("telegram", "{}"),
    "tenants.settings_complete": set_setting("settings,enable_gap_filtering", '"yes"'),
    "tenants.closing_time_readable": set_setting("settings,closing_time", '"9 pm"'),
    "tenants.timezone_known": set_setting("settings,timezone", '"Moscow"'),
    "tenants.created_at_present": set_tenant("updated_at = null"),
    "tenants.not_in_future": set_tenant("created_at = %(tomorrow)s"),
    "clients.full_name_present": set_client("full_name = ''"),
    "clients.meta_is_object": set_client("meta = null"),
    "clients.telegram_unique": set_client(
        "telegram_chat_id = (select telegram_chat_id from clients_v2 where id = %(anna)s)"
    ),
    "clients.whatsapp_unique": set_client("whatsapp_id = (select whatsapp_id from clients_v2 where id = %(anna)s)"),
    "clients.created_at_present": set_client("created_at = null"),
    "clients.not_in_future": set_client("updated_at = %(tomorrow)s"),
    "sessions.session_id_present": Fault(add_session(session="null")),
    "sessions.session_id_unique": Fault(add_session(session="%(closed)s")),
    "sessions.session_id_is_uuid4": Fault(add_session(session="%(new)s")),
    "sessions.channel_present": set_session("closed", "channel = null"),
    "sessions.channel_known": set_session("closed", "channel = 'email'"),
    "sessions.started_at_present": set_session("closed", "started_at = null"),
    "sessions.ended_at_present": set_session("closed", "ended_at = null"),
    "sessions.ended_after_start": set_session(
        "closed", "(ended_at, duration_sec) = (started_at - interval '1 minute', -60)"
    ),
    "sessions.duration_present": set_session("closed", "duration_sec = null"),
    "sessions.duration_matches": set_session("closed", "duration_sec = duration_sec + 1"),
    "sessions.created_at_present": set_session("closed", "created_at = null"),
    "sessions.not_in_future": set_session("closed", "created_at = %(tomorrow)s"),
    "sessions.final_status_present": set_session("closed", "final_status = null"),
    "sessions.final_status_known": set_session("closed", "final_status = 'paused'"),
    "sessions.done_when_booked": set_session("closed", BOOKING),
    "sessions.done_iff_booked": set_session("closed", "final_status = 'done', meta = '{}'"),
    "sessions.final_intent_known": set_session("closed", "final_intent = 'chat'"),
    "sessions.meta_is_object": set_session("closed", "meta = '[]'"),
    "sessions.drop_off_stage_known": set_session("closed", """meta = '{"drop_off_stage": "payment"}'"""),
    "sessions.drop_off_stage_filled": set_session("closed", """meta = '{"drop_off_stage": null}'"""),
    "sessions.drop_off_stage_empty_when_done": set_session(
        "done", """meta = '{"drop_off_stage": "staff_selection"}'"""
    ),
    "sessions.services_selected_is_list": set_session("done", """meta = '{"services_selected": [25601439]}'"""),
    "sessions.staff_id_is_text": set_session("done", """meta = '{"staff_id": 4844805}'"""),
    "sessions.selected_datetime_readable": set_session(
        "done", """meta = '{"selected_datetime": "2026-02-30T10:00"}'"""
    ),
    "sessions.booking_complete": set_session("done", "booking_amount = null"),
    "sessions.booking_source_known": set_session("done", "booking_source = 'phone'"),
    "sessions.booking_status_known": set_session("done", "booking_status = 'moved'"),
    "sessions.booking_currency_readable": set_session("done", "booking_currency = 'rub'"),
    "sessions.booking_amount_not_negative": set_session("done", "booking_amount = -0.01"),
    "sessions.counts_present": set_session("done", "agent_messages_count = null"),
    "sessions.counts_add_up": set_session("done", "messages_count = 5"),
    "sessions.counts_match_history": set_session("closed", "(messages_count, user_messages_count) = (1, 1)"),
    "messages.session_id_present": Fault(add_message(session="null")),
    "messages.session_exists": Fault(add_message(session="%(stranger)s")),
    "messages.session_same_tenant": Fault(add_message(session="%(neighbour_done)s")),
    "messages.session_same_client": set_message("user_id = %(olga)s"),
    "messages.inside_session": set_message("created_at = %(met)s - interval '1 second'"),
    "messages.role_present": set_message("role = null"),
    "messages.role_known": set_message("role = 'system'"),
    "messages.channel_present": set_message("channel = null"),
    "messages.channel_known": set_message("channel = 'unknown'"),
    "messages.text_present": set_message("message = null"),
    "messages.meta_is_object": set_message("meta = '0'"),
    "messages.created_at_present": set_message("created_at = null"),
    "messages.not_in_future": set_message("created_at = %(tomorrow)s"),
    "wishes.status_present": set_wish("pending", "status = null"),
    "wishes.status_known": set_wish("pending", "status = 'lost'"),
    "wishes.starts_pending": set_wish("cancelled", "processed_at = created_at"),
    "wishes.processed_at_filled": set_wish("cancelled", "processed_at = null"),
    "wishes.processed_at_empty_while_pending": set_wish("pending", "processed_at = %(met)s"),
    "wishes.amount_filled": set_wish("converted", "amount = null"),
    "wishes.amount_not_negative": set_wish("converted", "amount = 'NaN'"),
    "wishes.created_at_present": set_wish("pending", "updated_at = null"),
    "wishes.not_in_future": set_wish("cancelled", "processed_at = %(tomorrow)s"),
    "wishes.item_present": set_wish("pending", "item_id = ''"),
    "wishes.meta_is_object": set_wish("pending", "meta = 'null'"),
    "wishes.slot_described": set_wish("pending", "meta = meta - 'service_id'"),
    "wishes.date_readable": set_wished("date", '"28.02.2026"'),
    "wishes.time_preference_known": set_wished("time_preference", '"night"'),
    "wishes.texts_are_text": set_wished("client_phone", "79990001122"),
    "memories.data_is_object": set_memory("ltm_data = '\"likes red\"'"),
    "memories.churn_figures_in_range": set_memory("churn_risk_score = 1.01"),
}
"""Rule id → the fault that breaks it: a changed or added row."""

SHAPE_FAULTS: dict[str, str] = {
    "messages.session_key_on_archive": "alter table recent_history_v2 "
    "drop constraint recent_history_v2_session_id_fkey, "
    "add constraint recent_history_v2_session_id_fkey foreign key (session_id) references active_sessions_v2",
    **{f"{prefix}.no_new_columns": f"alter table {table} add column mood text" for prefix, table in TABLES.items()},
    **{
        f"{prefix}.columns_present": f"alter table {TABLES[prefix]} drop column {column}"
        for prefix, column in {
            "tenants": "slug", "clients": "phone", "sessions": "final_summary", "messages": "meta",
            "wishes": "comment", "open_sessions": "state", "memories": "ltm_data",
        }.items()
    },
    **{
        f"{prefix}.column_types": f"alter table {TABLES[prefix]} alter column {column} type {data_type} using null"
        for prefix, (column, data_type) in {
            "tenants": ("slug", "integer"), "clients": ("yclients_client_id", "text"),
            "sessions": ("booking_amount", "double precision"), "messages": ("message", "jsonb"),
            "wishes": ("amount", "integer"), "open_sessions": ("started_at", "timestamp"),
            "memories": ("preferred_staff_id", "bigint"),
        }.items()
    },
}  # fmt: skip
"""Rule id → the change to the schema that breaks it."""
