"""The rules against the text of the standard (seed 01): its foreign keys, its checklist, its required fields."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from expectations.rules import Action, Severity
from expectations.standard import build_suites, list_rules
from systems.agent_p import SYSTEM
from tests.expectations.tables import TABLES

RULES = {rule.rule_id: rule for rule in list_rules()}
FOREIGN_KEYS = {
    ("clients_v2", "tenant_id", "tenants_v2.id"): "clients.tenant_exists",
    ("conversation_sessions_v2", "tenant_id", "tenants_v2.id"): "sessions.tenant_exists",
    ("conversation_sessions_v2", "user_id", "clients_v2.id"): "sessions.client_exists",
    ("recent_history_v2", "tenant_id", "tenants_v2.id"): "messages.tenant_exists",
    ("recent_history_v2", "user_id", "clients_v2.id"): "messages.client_exists",
    ("recent_history_v2", "session_id", "conversation_sessions_v2.session_id"): "messages.session_exists",
    ("wishlist_v2", "tenant_id", "tenants_v2.id"): "wishes.tenant_exists",
    ("wishlist_v2", "user_id", "clients_v2.id"): "wishes.client_exists",
}
"""Section 6, line by line."""
CHECKLIST = {
    "Генерировать уникальный session_id (UUID v4)": {"sessions.session_id_unique", "sessions.session_id_is_uuid4"},
    "Сохранять started_at сразу при создании": {"sessions.started_at_present"},
    "Передавать session_id во все последующие записи": {"messages.session_id_present"},
    "ОБЯЗАТЕЛЬНО передавать session_id": {"messages.session_id_present"},
    "Указывать корректный role ('user' или 'assistant')": {"messages.role_known"},
    "Сохранять channel ('telegram', 'whatsapp')": {"messages.channel_known", "sessions.channel_known"},
    "Устанавливать ended_at": {"sessions.ended_at_present", "sessions.ended_after_start"},
    "Вычислять duration_sec": {"sessions.duration_present", "sessions.duration_matches"},
    "Устанавливать корректный final_status": {
        "sessions.final_status_known", "sessions.done_when_booked", "sessions.done_iff_booked",
    },
    "Заполнять meta.drop_off_stage если сессия не завершилась успешно": {"sessions.drop_off_stage_filled"},
    "Если есть бронирование — заполнять booking_* поля": {"sessions.booking_complete"},
    "Устанавливать status = 'pending'": {"wishes.status_present", "wishes.starts_pending"},
    "Заполнять meta с информацией о желаемом слоте": {"wishes.slot_described"},
    # What REQUIREMENTS B2 reads out of the same list.
    "message counts add up and match the history": {"sessions.counts_match_history"},
    "processed_at exactly when processed": {"wishes.processed_at_filled", "wishes.processed_at_empty_while_pending"},
    "amount when converted": {"wishes.amount_filled"},
}  # fmt: skip
"""Section 7, line by line."""
PROBLEMS = {
    "session_id_null": "messages.session_id_present",
    "wish_without_status": "wishes.status_present",
    "wish_without_processed_at": "wishes.processed_at_filled",
    "key_on_active_sessions": "messages.session_exists",
    "only_auto_closed": "sessions.done_when_booked",
}
"""The first table of the standard (REQUIREMENTS B4)."""


def find_sections(rule_id: str) -> set[str]:
    return set(RULES[rule_id].section.split(", "))


def test_every_foreign_key_of_section_6_has_its_rule_and_that_section_nothing_else() -> None:
    assert {rule_id for rule_id in RULES if "6" in find_sections(rule_id)} == set(FOREIGN_KEYS.values())
    assert {(RULES[rule].table_name, rule) for rule in RULES if "6" in find_sections(rule)} == {
        (table, rule) for (table, _, _), rule in FOREIGN_KEYS.items()
    }


@pytest.mark.parametrize("line", CHECKLIST)
def test_every_line_of_the_checklist_has_rules(line: str) -> None:
    assert CHECKLIST[line] <= {rule_id for rule_id in RULES if "7" in find_sections(rule_id)}


def test_every_rule_of_the_checklist_has_a_line() -> None:
    assert {rule_id for rule_id in RULES if "7" in find_sections(rule_id)} == set().union(*CHECKLIST.values())


def test_every_problem_of_the_first_table_is_counted_by_one_critical_rule() -> None:
    assert {rule.problem: rule_id for rule_id, rule in RULES.items() if rule.problem} == PROBLEMS
    assert {RULES[rule_id].level for rule_id in PROBLEMS.values()} == {"critical"}


def test_rule_ids_are_unique_and_begin_with_their_table() -> None:
    ids = [rule.rule_id for rule in list_rules()]
    assert len(ids) == len(set(ids))
    assert [rule_id for rule_id in ids if TABLES[rule_id.split(".")[0]] != RULES[rule_id].table_name] == []
    assert set(build_suites()) == set(SYSTEM.by_name) == set(TABLES.values())


@pytest.mark.parametrize("rule_id", RULES)
def test_a_bot_developer_can_read_the_rule_in_both_languages(rule_id: str) -> None:
    rule = RULES[rule_id]
    assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", rule_id)
    assert rule.level in get_args(Severity)
    assert rule.action in get_args(Action)
    assert re.search("[a-z]{3}", rule.meaning["en"])
    assert not re.search("[а-яё]", rule.meaning["en"], re.IGNORECASE)
    assert re.search("[а-яё]{3}", rule.meaning["ru"], re.IGNORECASE)
    assert rule.meaning["en"].endswith(".")
    assert rule.meaning["ru"].endswith(".")
    assert rule.section


def test_only_critical_rules_set_rows_aside_or_stop_a_build() -> None:
    lenient = [rule.rule_id for rule in RULES.values() if rule.level == "warning"]
    assert [rule_id for rule_id in lenient if RULES[rule_id].action == "set_aside" or RULES[rule_id].stops_build] == []
