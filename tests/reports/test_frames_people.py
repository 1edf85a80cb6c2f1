"""Frames of people: who is shown to whom under which name, what fits, what is likely to be lost."""

# ruff: noqa: DTZ001  (times are the salon's wall clock, without a zone, as reading gives them)

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from reports.audiences import Veil, make_code
from reports.frames.people import (
    choose_near,
    count_unanswered,
    expect_loss,
    list_clients,
    list_matches,
    list_offers,
    list_sessions,
    list_slots,
    list_win_back,
    list_wishes,
)  # fmt: skip
from reports.selections import CHAIN, SALON
from tests.reports.salon_frames import (
    ANALYST,
    ANNA,
    LAST_DAY,
    NAMELESS,
    NAMES,
    OWNER,
    PHONES,
    RISKY,
    SESSIONS,
    make_empty_salon,
    make_rows,
    make_salon,
    make_session,
    money,
)  # fmt: skip

HIDDEN = {
    "client_name", "phone", "summary", "wish_comment", "waiting_client_name", "waiting_phone", "booked_client_name",
    "staff_name",
}  # fmt: skip


def test_what_tells_who_a_client_is_never_leaves_the_database_for_an_analyst() -> None:
    hidden = set()
    for selection in (*SALON.values(), *CHAIN.values()):
        assert OWNER.choose_columns(selection.relation, selection.columns) == selection.columns
        hidden |= set(selection.columns) - set(ANALYST.choose_columns(selection.relation, selection.columns))
    assert hidden == HIDDEN


def test_a_client_without_a_name_has_none_and_for_an_analyst_a_code_that_finds_the_row() -> None:
    for veil, shown in ((OWNER, None), (ANALYST, f"#{str(NAMELESS)[:8]}")):
        sessions = list_sessions(make_salon(veil)["sessions"], veil)
        assert set(sessions[sessions["client_id"] == NAMELESS]["client_name"]) == {shown}
    sessions = list_sessions(make_salon()["sessions"], OWNER)
    assert set(sessions[sessions["client_id"] == ANNA]["client_name"]) == {NAMES[ANNA]}
    assert make_code(None) == make_code(float("nan")) == ""


def test_an_empty_name_is_no_name() -> None:
    frame = pd.DataFrame({"client_id": [ANNA], "client_name": [""]}, dtype=object)
    assert OWNER.name_clients(frame)["client_name"].tolist() == [None]


def test_an_analyst_sees_codes_in_place_of_every_name() -> None:
    salon = make_salon(ANALYST)
    matches = salon["waitlist_matches"]
    shown = [
        list_sessions(salon["sessions"], ANALYST)["client_name"],
        list_clients(salon["persons"], salon["visits_monthly"], ANALYST)["client_name"],
        list_win_back(salon["win_back"], ANALYST, language="ru")["client_name"],
        list_slots(salon["risky_slots"], matches, ANALYST, language="ru")["client_name"],
        list_wishes(salon["waitlist"], matches, ANALYST)["client_name"],
        list_matches(matches, ANALYST)["waiting_client_name"], list_matches(matches, ANALYST)["booked_client_name"],
        list_offers(salon["slot_offers"], ANALYST)["client_name"],
    ]  # fmt: skip
    assert all(len(names) and names.str.fullmatch(r"#[0-9a-f]{8}").all() for names in shown)


def test_the_result_of_a_session_is_its_booking_or_else_its_status() -> None:
    results = list_sessions(make_salon()["sessions"], OWNER)["result"].tolist()
    assert results == [
        "unknown", "booked", "cancelled", "abandoned", "auto_closed", "abandoned", "abandoned", "unknown", "booked",
        "booked",
    ]  # fmt: skip


def test_phones_are_searched_only_where_they_are_shown() -> None:
    for veil in (OWNER, ANALYST):
        salon = make_salon(veil)
        assert ("digits" in list_clients(salon["persons"], salon["visits_monthly"], veil)) is veil.shows_people


def test_the_favourite_of_the_staff_is_named_where_the_name_is_known() -> None:
    salon = make_salon()
    clients = list_clients(salon["persons"], salon["visits_monthly"], OWNER)
    # Nobody wrote down what s2 is called; three clients have no favourite.
    assert clients["favourite_staff"].tolist() == ["Мария", None, "№ s2", "№ s2", None, None]


def test_regulars_come_before_those_who_came_once_each_by_their_turn() -> None:
    frame = list_win_back(make_salon()["win_back"], OWNER, language="ru")
    assert frame[["segment", "place", "value_currency"]].to_numpy().tolist() == [
        ["regular", 1, "RUB"], ["regular", 2, "RUB"], ["one_visit", 1, "EUR"], ["one_visit", 1, "XXX"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "reason"), [("ru", "61 день без визита, обычно раз в 30"), ("en", "61 days without a visit,")]
)
def test_reasons_are_in_the_language_of_the_page(language: str, reason: str) -> None:
    salon = make_salon()
    assert list_win_back(salon["win_back"], OWNER, language=language)["reason"].tolist()[0].startswith(reason)
    slots = list_slots(salon["risky_slots"], salon["waitlist_matches"], OWNER, language=language)
    assert slots["reason"].tolist()[0] == {"ru": "новый клиент", "en": "a new client"}[language]


def test_a_slot_knows_how_many_wait_for_it_and_a_wish_how_many_slots_fit() -> None:
    salon = make_salon()
    slots = list_slots(salon["risky_slots"], salon["waitlist_matches"], OWNER, language="ru")
    assert dict(zip(slots["booking_id"], slots["waiting_count"], strict=True)) == {"b3": 0, "b1": 2, "b2": 0, "b4": 1}
    wishes = list_wishes(salon["waitlist"], salon["waitlist_matches"], OWNER)
    assert dict(zip(wishes["wish_id"], wishes["fitting_count"], strict=True)) == {1: 2, 2: 0, 3: 1, 4: 0}


def test_wishes_whose_day_is_over_come_last_however_long_they_wait() -> None:
    salon = make_salon()
    waitlist = salon["waitlist"].iloc[::-1].reset_index(drop=True)
    assert waitlist["wish_id"].tolist()[0] == 4
    assert list_wishes(waitlist, salon["waitlist_matches"], OWNER)["wish_id"].tolist() == [3, 2, 1, 4]


def test_what_has_no_title_is_shown_by_its_number_and_nothing_by_nothing() -> None:
    salon = make_salon()
    slots = list_slots(salon["risky_slots"], salon["waitlist_matches"], OWNER, language="ru")
    assert slots["service"].tolist() == ["Маникюр", "Маникюр", "№ m2", "№ m2"]
    assert slots["staff"].tolist() == ["Мария", "Мария", None, "№ s2"]
    assert list_offers(salon["slot_offers"], OWNER)["service"].tolist() == ["№ m2"]


def test_the_expected_loss_adds_the_risks_of_the_next_seven_days_by_currency() -> None:
    ahead = expect_loss(make_salon()["risky_slots"], last_day=LAST_DAY, days=7)
    # 3, 7 and 1 November; the 8th is a day too late.
    assert (ahead.slots, ahead.expected) == (3, Decimal("0.4") + Decimal("0.25") + Decimal("0.1"))
    assert ahead.values == {"RUB": money("600.00"), "EUR": money("10.05")}


def test_prices_without_a_currency_are_lost_apart() -> None:
    rows = [(*row[:11], None, *row[12:]) for row in RISKY]
    assert expect_loss(make_rows("risky_slots", rows), last_day=LAST_DAY, days=8).values == {"XXX": money("5110.05")}


def test_near_slots_end_with_the_seventh_day() -> None:
    slots = make_salon()["risky_slots"]
    assert choose_near(slots, last_day=LAST_DAY, days=7)["booking_id"].tolist() == ["b1", "b2", "b4"]
    assert len(choose_near(slots, last_day=None, days=7)) == 4


def test_a_session_is_unanswered_when_a_client_wrote_and_the_bot_did_not() -> None:
    # The 30th and the 25th: the 24th is before seven days, 1 November is not over, and one wrote nothing.
    assert count_unanswered(make_salon()["sessions"], last_day=LAST_DAY, days=7) == 2
    assert count_unanswered(make_salon()["sessions"], last_day=LAST_DAY, days=8) == 3
    assert count_unanswered(make_salon()["sessions"], last_day=LAST_DAY + timedelta(days=1), days=1) == 1
    assert count_unanswered(make_salon()["sessions"], last_day=None, days=7) == 0


@pytest.mark.parametrize(("asked", "answered", "count"), [(1, None, 1), (0, None, 0), (1, 0, 0), (1, 900, 0)])
def test_an_answer_at_once_is_an_answer(asked: int, answered: int | None, count: int) -> None:
    row = make_session(1, ANNA, datetime(2026, 10, 31, 1), "done", asked=asked, answered_ms=answered)
    assert count_unanswered(make_rows("sessions", [row]), last_day=LAST_DAY, days=1) == count


@pytest.mark.parametrize("veil", [OWNER, ANALYST])
def test_a_salon_of_which_nothing_is_known_has_empty_lists(veil: Veil) -> None:
    salon = make_empty_salon(veil)
    matches = salon["waitlist_matches"]
    assert not len(list_sessions(salon["sessions"], veil))
    assert not len(list_clients(salon["persons"], salon["visits_monthly"], veil))
    assert not len(list_wishes(salon["waitlist"], matches, veil))
    assert not len(list_matches(matches, veil))
    assert not len(list_slots(salon["risky_slots"], matches, veil, language="en"))
    assert not len(list_win_back(salon["win_back"], veil, language="en"))
    assert expect_loss(salon["risky_slots"], last_day=date(2026, 1, 1), days=7).values == {}


def test_the_salon_of_the_tests_holds_what_the_claims_are_about() -> None:
    assert len(SESSIONS) == 10
    assert PHONES[ANNA]
    assert None in NAMES.values()
