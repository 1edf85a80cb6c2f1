"""Turns that rows take between two checks: what was so before, what changes, and what fails thereafter."""

from __future__ import annotations

from dataclasses import dataclass

from tests.expectations.bad_rows import add_message, add_session

ADD_TWIN = (
    "insert into clients_v2 (id, tenant_id, full_name, telegram_chat_id, created_at, updated_at) select %(new)s, "
    "tenant_id, 'Zoya', telegram_chat_id, %(met)s, %(met)s from clients_v2 where id = %(anna)s"
)
MOVE_ANNA = "update clients_v2 set tenant_id = %(neighbour_tenant)s where id = %(anna)s"
HAND_OVER = "update conversation_sessions_v2 set user_id = %(olga)s where session_id = %(done)s"
ADD_LEGACY = (
    "insert into recent_history_v2 (tenant_id, user_id, legacy_session_id, role, channel, message, created_at) "
    "values (%(tenant)s, %(anna)s, %(new_session)s, 'user', 'telegram', 'hello', %(met)s)"
)
FIRST_MESSAGE = "where session_id = %(done)s and created_at = %(met)s"
NAME_NEIGHBOUR = f"update recent_history_v2 set session_id = %(neighbour_done)s {FIRST_MESSAGE}"
TABLES_OF_ANNA = ("sessions", "messages", "wishes", "memories")


@dataclass(frozen=True)
class Turn:
    """Statements before the full check, statements between that and the next, and what fails in the salon then."""

    before: tuple[str, ...]
    change: tuple[str, ...]
    failing: frozenset[str]


def turn(*change: str, before: tuple[str, ...] = (), failing: tuple[str, ...] = ()) -> Turn:
    """Return a turn that a good salon takes."""
    return Turn(before, change, frozenset(failing))


TURNS = {
    "a client moves to another salon": turn(
        MOVE_ANNA, failing=tuple(f"{prefix}.client_same_tenant" for prefix in TABLES_OF_ANNA)
    ),
    "a client comes back": turn(
        "update clients_v2 set tenant_id = %(tenant)s where id = %(anna)s", before=(MOVE_ANNA,)
    ),
    "a client is deleted": turn(
        "delete from clients_v2 where id = %(anna)s",
        failing=tuple(f"{prefix}.client_exists" for prefix in TABLES_OF_ANNA),
    ),
    "a client next door is deleted whom a wish named": turn(
        "delete from clients_v2 where id = %(neighbour_vera)s",
        before=("update wishlist_v2 set user_id = %(neighbour_vera)s where user_id = %(anna)s",),
        failing=("wishes.client_exists",),
    ),
    "a session turns out to be another client's": turn(HAND_OVER, failing=("messages.session_same_client",)),
    "a session is given back": turn(
        "update conversation_sessions_v2 set user_id = %(anna)s where session_id = %(done)s", before=(HAND_OVER,)
    ),
    "another client's session is deleted": turn(
        "delete from conversation_sessions_v2 where session_id = %(done)s",
        before=(HAND_OVER,), failing=("messages.session_exists",),
    ),
    "another client's session grows shorter": turn(
        "update conversation_sessions_v2 set (ended_at, duration_sec) = (started_at, 0) where session_id = %(done)s",
        before=(HAND_OVER,), failing=("messages.session_same_client", "messages.inside_session"),
    ),
    "a session is archived that another client's message named": turn(
        add_session(),
        before=(add_message(session="%(new_session)s"),),
        failing=("messages.session_same_client", "sessions.counts_match_history"),
    ),
    "a session is archived that another client's old message named": turn(
        add_session(), before=(ADD_LEGACY,), failing=("messages.session_id_present",)
    ),
    "a session is deleted that another client's old message named": turn(
        "delete from conversation_sessions_v2 where session_id = %(new_session)s",
        before=(add_session(), ADD_LEGACY), failing=("messages.session_id_present", "messages.session_exists"),
    ),
    "another client's message leaves a session": turn(
        "delete from recent_history_v2 where session_id = %(done)s and user_id = %(vera)s",
        before=(f"update recent_history_v2 set user_id = %(vera)s {FIRST_MESSAGE}",),
        failing=("sessions.counts_match_history",),
    ),
    "a message names a session next door": turn(
        NAME_NEIGHBOUR, failing=("messages.session_same_tenant", "sessions.counts_match_history")
    ),
    "the session next door is deleted": turn(
        "delete from conversation_sessions_v2 where session_id = %(neighbour_done)s",
        before=(NAME_NEIGHBOUR,), failing=("messages.session_exists", "sessions.counts_match_history"),
    ),
    "a twin appears": turn(ADD_TWIN, failing=("clients.telegram_unique",)),
    "a twin disappears": turn("delete from clients_v2 where id = %(new)s", before=(ADD_TWIN,)),
    "a twin gets a chat of its own": turn(
        "update clients_v2 set telegram_chat_id = 1 where id = %(new)s", before=(ADD_TWIN,)
    ),
    "a twin moves next door": turn(
        "update clients_v2 set tenant_id = %(neighbour_tenant)s where id = %(new)s", before=(ADD_TWIN,)
    ),
    "the first of two sessions with one id is deleted": turn(
        "delete from conversation_sessions_v2 where session_id = %(closed)s and user_id = %(vera)s",
        before=(add_session(session="%(closed)s", client="%(olga)s"),),
    ),
    "a message that is set aside becomes another client's": turn(
        f"update recent_history_v2 set user_id = %(olga)s {FIRST_MESSAGE}",
        before=(f"update recent_history_v2 set channel = null {FIRST_MESSAGE}",),
        failing=("messages.channel_present", "messages.session_same_client"),
    ),
    "a wish that is set aside is repaired": turn(
        "update wishlist_v2 set user_id = %(vera)s where user_id = %(stranger)s",
        before=("update wishlist_v2 set user_id = %(stranger)s where user_id = %(anna)s",),
    ),
    "a wish is converted for nothing": turn(
        "update wishlist_v2 set (status, processed_at) = ('converted', %(met)s + interval '1 day') "
        "where tenant_id = %(tenant)s and status = 'pending'",
        failing=("wishes.amount_filled",),
    ),
    "a memory and an open session become a stranger's": turn(
        "update user_ltm_v2 set user_id = %(stranger)s where user_id = %(anna)s",
        "update active_sessions_v2 set user_id = %(stranger)s where user_id = %(olga)s",
        failing=("memories.client_exists", "open_sessions.client_exists"),
    ),
    "the future becomes the past": turn(
        before=("update clients_v2 set updated_at = %(tomorrow)s where id = %(anna)s",
                f"update recent_history_v2 set created_at = %(tomorrow)s {FIRST_MESSAGE}"),
        failing=("messages.inside_session",),
    ),
    "a salon forgets its branch": turn(
        "update tenants_v2 set metadata = metadata #- '{yclients,branch_id}' where id = %(tenant)s",
        failing=("tenants.yclients_complete",),
    ),
}  # fmt: skip
