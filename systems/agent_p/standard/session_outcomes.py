"""How a session ended, how far it came, and how many messages it had (seed 01, sections 3 and 7)."""

from __future__ import annotations

from expectations.conditions import is_blank, is_no_moment, is_object, is_set, is_unknown
from expectations.rules import StandardExpectation, expect_rows

STAGES = ("service_selection", "staff_selection", "time_selection")
IS_BOOKED = f"(not {is_blank('rows.booking_id')})"


def expect_outcome() -> list[StandardExpectation]:
    """`final_status` tells whether the session succeeded, `meta` how far it came."""
    stage = "rows.meta ->> 'drop_off_stage'"
    return [
        expect_rows(
            "sessions.final_status_present", section="3", action="set_aside", fails_when="rows.final_status is null",
            en="final_status is filled: the funnel rests on it.", ru="final_status заполнен: на нём стоит воронка.",
        ),
        expect_rows(
            "sessions.final_status_known", section="3, 7",
            fails_when=is_unknown("rows.final_status", "done", "abandoned", "auto_closed"),
            en="final_status is done, abandoned or auto_closed.",
            ru="final_status равен done, abandoned или auto_closed.",
        ),
        expect_rows(
            "sessions.done_when_booked", section="3, 7", problem="only_auto_closed",
            fails_when=f"{IS_BOOKED} and rows.final_status in ('abandoned', 'auto_closed')",
            implies=("sessions.done_iff_booked",),
            en="A session with a booking closes as done, not as abandoned or auto_closed.",
            ru="Сессия с бронированием закрывается как done, а не abandoned или auto_closed.",
        ),
        expect_rows(
            "sessions.done_iff_booked", section="7",
            fails_when=f"(rows.final_status = 'done') <> {IS_BOOKED}"
            " and rows.final_status in ('done', 'abandoned', 'auto_closed')",
            en="final_status is done exactly when the booking succeeded (booking_id is filled).",
            ru="final_status равен done тогда и только тогда, когда бронирование успешно (booking_id заполнен).",
        ),
        expect_rows(
            "sessions.final_intent_known", section="3", severity="warning",
            fails_when=is_unknown("rows.final_intent", "booking", "info", "reschedule", "cancel"),
            en="final_intent, where set, is booking, info, reschedule or cancel.",
            ru="final_intent, если задан, равен booking, info, reschedule или cancel.",
        ),
        expect_rows(
            "sessions.meta_is_object", section="3", fails_when=f"not {is_object('rows.meta')}",
            en="meta is filled and a JSON object.", ru="meta заполнена и является JSON-объектом.",
        ),
        expect_rows(
            "sessions.drop_off_stage_known", section="3", severity="warning",
            fails_when=f"{is_set('rows.meta', 'drop_off_stage')} and ({is_unknown(stage, *STAGES)}"
            " or jsonb_typeof(rows.meta -> 'drop_off_stage') <> 'string')",
            en="meta.drop_off_stage, where set, is service_selection, staff_selection or time_selection.",
            ru="meta.drop_off_stage, если задан, равен service_selection, staff_selection или time_selection.",
        ),
        expect_rows(
            "sessions.drop_off_stage_filled", section="3, 7", severity="warning",
            fails_when=f"{is_object('rows.meta')} and rows.final_status in ('abandoned', 'auto_closed')"
            f" and not {IS_BOOKED} and {stage} is null",
            en="meta.drop_off_stage is filled when the session did not end well.",
            ru="meta.drop_off_stage заполнен, если сессия не завершилась успешно.",
        ),
        expect_rows(
            "sessions.drop_off_stage_empty_when_done", section="3", severity="warning",
            fails_when=f"rows.final_status = 'done' and {is_set('rows.meta', 'drop_off_stage')}",
            en="meta.drop_off_stage is null in a session that is done: it went to the end.",
            ru="meta.drop_off_stage равен null у сессии done: она дошла до конца.",
        ),
        expect_rows(
            "sessions.services_selected_is_list", section="3", severity="warning",
            fails_when=f"{is_set('rows.meta', 'services_selected')} and ("
            "jsonb_typeof(rows.meta -> 'services_selected') <> 'array' or"
            " jsonb_path_exists("
            "rows.meta, 'strict $.services_selected[*] ? (@.type() != \"string\")', silent => true))",
            en="meta.services_selected, where set, is a list of service ids as strings.",
            ru="meta.services_selected, если задан, — список id услуг в виде строк.",
        ),
        expect_rows(
            "sessions.staff_id_is_text", section="3", severity="warning",
            fails_when=f"{is_set('rows.meta', 'staff_id')} and jsonb_typeof(rows.meta -> 'staff_id') <> 'string'",
            en="meta.staff_id, where set, is a string.", ru="meta.staff_id, если задан, является строкой.",
        ),
        expect_rows(
            "sessions.selected_datetime_readable", section="3", severity="warning",
            fails_when=f"{is_set('rows.meta', 'selected_datetime')} and ("
            "jsonb_typeof(rows.meta -> 'selected_datetime') <> 'string' or"
            f" {is_no_moment('''(rows.meta ->> 'selected_datetime')''')})",
            en="meta.selected_datetime, where set, reads like 2025-01-15T10:00:00.",
            ru="meta.selected_datetime, если задан, имеет вид 2025-01-15T10:00:00.",
        ),
    ]  # fmt: skip


def expect_counts() -> list[StandardExpectation]:
    """The message counts are there, add up, and match the history."""
    counts = ("messages_count", "agent_messages_count", "user_messages_count")
    return [
        expect_rows(
            "sessions.counts_present", section="3", severity="warning",
            fails_when=" or ".join(f"rows.{name} is null" for name in counts),
            en="messages_count, agent_messages_count and user_messages_count are filled.",
            ru="messages_count, agent_messages_count и user_messages_count заполнены.",
        ),
        expect_rows(
            "sessions.counts_add_up", section="3", severity="warning",
            fails_when="rows.messages_count::bigint"
            " <> rows.agent_messages_count::bigint + rows.user_messages_count::bigint",
            implies=("sessions.counts_match_history",),
            en="messages_count is agent_messages_count plus user_messages_count.",
            ru="messages_count равен сумме agent_messages_count и user_messages_count.",
        ),
        expect_rows(
            "sessions.counts_match_history", section="3, 7", severity="warning",
            fails_when="rows.messages_count <> coalesce(history.messages, 0)"
            " or rows.agent_messages_count <> coalesce(history.agent_messages, 0)"
            " or rows.user_messages_count <> coalesce(history.user_messages, 0)",
            en="The counts are those of the messages in recent_history_v2 that carry this session_id.",
            ru="Счётчики равны числу сообщений в recent_history_v2 с этим session_id.",
        ),
    ]  # fmt: skip
