"""Section 4 of the standard and its checklist: `recent_history_v2`, the messages."""

from __future__ import annotations

import great_expectations as gx

from expectations.conditions import is_late, is_object, is_unknown
from expectations.rules import StandardExpectation, expect_kept_reference, expect_rows, expect_shape, expect_short_texts
from systems.agent_p.standard.references import expect_client, expect_tenant

TABLE = "recent_history_v2"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("messages", section="4"),
            expect_kept_reference(
                "messages.session_key_on_archive",
                section="4, 8",
                en=(
                    "The foreign key of session_id points at conversation_sessions_v2, not at active_sessions_v2: "
                    "a temporary session is gone when the dialogue closes. `agentp migrate` moves it."
                ),
                ru=(
                    "Внешний ключ session_id указывает на conversation_sessions_v2, а не на active_sessions_v2: "
                    "временная сессия исчезает при закрытии диалога. Ключ переносит `agentp migrate`."
                ),
            ),
            *expect_tenant(
                "messages", section="4", implies=("messages.client_same_tenant", "messages.session_same_tenant")
            ),
            *expect_client("messages", section="4", implies=("messages.session_same_client",)),
            *expect_session(),
            *expect_content(),
            expect_short_texts("messages", message=1_000_000, channel=100),
        ],
    )


def expect_session() -> list[StandardExpectation]:
    """A message names its session, which is archived, of the same salon and client, and goes on then."""
    return [
        expect_rows(
            "messages.session_id_present", section="4, 7", problem="session_id_null",
            fails_when="rows.session_id is null",
            en="session_id is passed with every message: without it the dialogue is not shown.",
            ru="session_id передаётся с каждым сообщением: без него диалог не отображается.",
        ),
        expect_rows(
            "messages.session_exists", section="6", problem="key_on_active_sessions",
            fails_when="rows.session_id is not null and sessions.session_id is null"
            " or rows.session_id is null and rows.legacy_session_id is not null and former.session_id is null",
            en="session_id points at an archived session in conversation_sessions_v2, not at a temporary one.",
            ru="session_id указывает на сессию в архиве conversation_sessions_v2, а не на временную.",
        ),
        expect_rows(
            "messages.session_same_tenant", section="B3", action="set_aside",
            fails_when="sessions.tenant_id <> rows.tenant_id",
            en="The session belongs to the salon of the message.", ru="Сессия принадлежит салону сообщения.",
        ),
        expect_rows(
            "messages.session_same_client", section="B3",
            fails_when="sessions.tenant_id = rows.tenant_id and sessions.user_id <> rows.user_id",
            en="The session is one of the client who wrote or received the message.",
            ru="Сессия принадлежит клиенту, который написал или получил сообщение.",
        ),
        expect_rows(
            "messages.inside_session", section="B3", severity="warning",
            fails_when="rows.created_at < sessions.started_at or rows.created_at > sessions.ended_at",
            en="created_at lies between started_at and ended_at of the session, both included.",
            ru="created_at лежит между started_at и ended_at сессии включительно.",
        ),
    ]  # fmt: skip


def expect_content() -> list[StandardExpectation]:
    """Who wrote what, where and when."""
    return [
        expect_rows(
            "messages.role_present", section="4", action="set_aside", fails_when="rows.role is null",
            implies=("sessions.counts_match_history",),
            en="role is filled.", ru="role заполнен.",
        ),
        expect_rows(
            "messages.role_known", section="4, 7", fails_when=is_unknown("rows.role", "user", "assistant"),
            implies=("sessions.counts_match_history",),
            en="role is user or assistant.", ru="role равен user или assistant.",
        ),
        expect_rows(
            "messages.channel_present", section="4", action="set_aside", fails_when="rows.channel is null",
            en="channel is filled.", ru="channel заполнен.",
        ),
        expect_rows(
            "messages.channel_known", section="4, 7", fails_when=is_unknown("rows.channel", "telegram", "whatsapp"),
            en="channel is telegram or whatsapp; the default unknown means that the bot did not pass it.",
            ru="channel равен telegram или whatsapp; значение unknown значит, что бот его не передал.",
        ),
        expect_rows(
            "messages.text_present", section="4", action="set_aside", fails_when="rows.message is null",
            en="message is filled.", ru="message заполнено.",
        ),
        expect_rows(
            "messages.meta_is_object", section="4", fails_when=f"not {is_object('rows.meta')}",
            en="meta is filled and a JSON object.", ru="meta заполнена и является JSON-объектом.",
        ),
        expect_rows(
            "messages.created_at_present", section="4", action="set_aside", fails_when="rows.created_at is null",
            en="created_at is filled: dialogues are sorted by it.",
            ru="created_at заполнен: по нему сортируются диалоги.",
        ),
        expect_rows(
            "messages.not_in_future", section="B3", is_rechecked=True, fails_when=is_late("rows.created_at"),
            implies=("messages.inside_session",),
            en="created_at is not in the future.", ru="created_at не в будущем.",
        ),
    ]  # fmt: skip
