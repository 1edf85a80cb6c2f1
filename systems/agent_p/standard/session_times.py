"""What a session is called and when it was (seed 01, sections 3 and 7)."""

from __future__ import annotations

from expectations.conditions import is_late, is_unknown
from expectations.rules import StandardExpectation, expect_rows


def expect_identity() -> list[StandardExpectation]:
    """A session has one id, made by the bot, and a channel."""
    return [
        expect_rows(
            "sessions.session_id_present", section="3", action="set_aside", fails_when="rows.session_id is null",
            en="session_id is filled: messages find their session by it.",
            ru="session_id заполнен: по нему сообщения находят свою сессию.",
        ),
        expect_rows(
            "sessions.session_id_unique", section="3, 7", action="set_aside", is_rechecked=True,
            fails_when="rows.id > twins.first_id",
            en="session_id is unique. Of several sessions with one id the first row counts, the others are set aside.",
            ru="session_id уникален. Из сессий с одним id учитывается первая строка, остальные откладываются.",
        ),
        expect_rows(
            "sessions.session_id_is_uuid4", section="7",
            fails_when="rows.session_id::text !~ '^.{14}4.{4}[89ab]'",
            en="session_id is a UUID version 4, made when the session is created.",
            ru="session_id — UUID версии 4, созданный вместе с сессией.",
        ),
        expect_rows(
            "sessions.channel_present", section="3", action="set_aside", fails_when="rows.channel is null",
            en="channel is filled.", ru="channel заполнен.",
        ),
        expect_rows(
            "sessions.channel_known", section="3, 7", fails_when=is_unknown("rows.channel", "telegram", "whatsapp"),
            en="channel is telegram or whatsapp.", ru="channel равен telegram или whatsapp.",
        ),
    ]  # fmt: skip


def expect_times() -> list[StandardExpectation]:
    """A session starts, ends after that, and lasts as long as it says."""
    both_known = "isfinite(rows.started_at) and isfinite(rows.ended_at)"
    seconds = "extract(epoch from rows.ended_at) - extract(epoch from rows.started_at)"
    return [
        expect_rows(
            "sessions.started_at_present", section="3, 7", action="set_aside", fails_when="rows.started_at is null",
            en="started_at is filled when the session is created.", ru="started_at заполнен при создании сессии.",
        ),
        expect_rows(
            "sessions.ended_at_present", section="7", severity="warning", fails_when="rows.ended_at is null",
            en="ended_at is set when the session closes.", ru="ended_at устанавливается при закрытии сессии.",
        ),
        expect_rows(
            "sessions.ended_after_start", section="7", fails_when="rows.ended_at < rows.started_at",
            en="ended_at is not before started_at.", ru="ended_at не раньше started_at.",
        ),
        expect_rows(
            "sessions.duration_present", section="7", severity="warning", fails_when="rows.duration_sec is null",
            en="duration_sec is computed when the session closes.",
            ru="duration_sec вычисляется при закрытии сессии.",
        ),
        expect_rows(
            "sessions.duration_matches", section="7", severity="warning",
            fails_when=f"case when {both_known} then abs(rows.duration_sec - ({seconds})) >= 1 end",
            en="duration_sec is the seconds from started_at to ended_at.",
            ru="duration_sec — секунды от started_at до ended_at.",
        ),
        expect_rows(
            "sessions.created_at_present", section="3", fails_when="rows.created_at is null",
            en="created_at is filled.", ru="created_at заполнен.",
        ),
        expect_rows(
            "sessions.not_in_future", section="B3", is_rechecked=True,
            fails_when=" or ".join(is_late(f"rows.{name}") for name in ("started_at", "ended_at", "created_at")),
            en="started_at, ended_at and created_at are not in the future.",
            ru="started_at, ended_at и created_at не в будущем.",
        ),
    ]  # fmt: skip
