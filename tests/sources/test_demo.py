"""The demo chain: consistent where it should be, uncomfortable where the standard says the bots are."""

import csv
import gzip
import itertools
import json
import re
import uuid
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from systems.agent_p.demo import DEMO_LAST_DAY, DemoSummary, write_demo
from systems.agent_p.demo.chain import PROFILES
from systems.agent_p.demo.exports import COLUMNS
from systems.agent_p.demo.zones import DAY, number_day, offset_of

Row = dict[str, str]
CLOCKS = {profile.name: ZoneInfo(profile.zone or "Europe/Moscow") for profile in PROFILES}
HOURS = {profile.name: (profile.opens, profile.closes) for profile in PROFILES}


class Demo:
    """A folder read back, with the joins that the tests need."""

    def __init__(self, folder: Path, summary: DemoSummary) -> None:
        self.summary = summary
        self.tables: dict[str, list[Row]] = {}
        for table in COLUMNS:
            with gzip.open(folder / f"{table}.csv.gz", "rt", encoding="utf-8", newline="") as file:
                self.tables[table] = list(csv.DictReader(file, strict=True))
        self.tenants = {row["id"]: row for row in self["tenants_v2"]}
        self.clients = {row["id"]: row for row in self["clients_v2"]}
        self.sessions = {row["session_id"]: row for row in self["conversation_sessions_v2"]}
        self.active = {row["session_id"]: row for row in self["active_sessions_v2"]}
        self.unlinked = [row for row in self["recent_history_v2"] if not row["session_id"]]
        self.legacy_end = self.unlinked[-1]["created_at"]

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]

    def clock_of(self, row: Row) -> ZoneInfo:
        return CLOCKS[self.tenants[row["tenant_id"]]["name"]]

    def person_of(self, row: Row) -> str:
        phone = self.clients[row["user_id"]]["phone"]
        return re.sub("[^0-9]", "", phone) or row["user_id"]

    def current(self) -> list[Row]:
        return [row for row in self["conversation_sessions_v2"] if row["started_at"] > self.legacy_end]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def meta(row: Row) -> dict[str, Any]:
    value = json.loads(row["meta"])
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    return Demo(folder, write_demo(folder))


def owners_of(demo: Demo) -> dict[int, str]:
    """Message id → session by window, for the messages without session_id that lie in exactly one."""
    windows = defaultdict(list)
    for row in demo["conversation_sessions_v2"]:
        end = row["ended_at"] or row["created_at"]
        windows[row["user_id"], row["channel"]].append((row["started_at"], end, row["session_id"]))
    owners = {}
    for row in demo.unlinked:
        found = [
            session
            for start, end, session in windows[row["user_id"], row["channel"]]
            if start <= row["created_at"] <= end
        ]
        assert len(found) <= 1
        if found:
            owners[int(row["id"])] = found[0]
    return owners


def test_the_summary_counts_the_rows_of_the_files(demo: Demo) -> None:
    assert demo.summary.tables == {table: len(rows) for table, rows in demo.tables.items()}
    assert demo.summary.tables["conversation_sessions_v2"] == 4000
    assert (demo.summary.first_day, demo.summary.last_day) == (date(2025, 11, 1), DEMO_LAST_DAY)
    assert demo.summary.tenants == tuple(row["name"] for row in demo["tenants_v2"])


def test_a_session_has_ten_to_twelve_messages_on_average(demo: Demo) -> None:
    assert 10 <= len(demo["recent_history_v2"]) / 4000 <= 12


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_the_columns_are_those_of_the_standard_and_ids_are_unique(demo: Demo, table: str) -> None:
    rows = demo[table]
    assert list(rows[0]) == COLUMNS[table].split(",")
    key = next(iter(rows[0]))
    assert len({row[key] for row in rows}) == len(rows)
    for row in rows:
        for column in ("tenant_id", "user_id", "session_id"):
            if row.get(column):
                assert uuid.UUID(row[column]).version == 4


def test_chat_ids_and_phones_are_unique_and_some_bookings_are_told_again_or_moved_by_a_second_dialogue(
    demo: Demo,
) -> None:
    for column in ("telegram_chat_id", "whatsapp_id"):
        known = [row[column] for row in demo["clients_v2"] if row[column]]
        assert len(set(known)) == len(known)
    told: dict[str, list[str]] = defaultdict(list)
    for row in demo["conversation_sessions_v2"]:
        if row["booking_id"]:
            told[row["booking_id"]].append(row["booking_datetime"])
    assert all(booking.isdigit() for booking in told)
    several = [times for times in told.values() if len(times) > 1]
    assert sum(len(set(times)) < len(times) for times in several) >= 1
    assert sum(len(set(times)) > 1 for times in several) > 10


def test_some_write_on_both_channels_as_two_clients_with_one_phone(demo: Demo) -> None:
    phones: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in demo["clients_v2"]:
        if row["phone"]:
            phones[row["tenant_id"], re.sub("[^0-9]", "", row["phone"])].append(row)
    twins = [rows for rows in phones.values() if len(rows) > 1]
    assert len(twins) >= 10
    for rows in twins:
        assert sorted((bool(row["telegram_chat_id"]), bool(row["whatsapp_id"])) for row in rows) == [
            (False, True),
            (True, False),
        ]
        assert len({row["full_name"].split()[0] for row in rows if row["full_name"]}) <= 1
        assert len({row["phone"] for row in rows}) == 2, "written in two ways"
    talked = {row["user_id"] for row in demo["conversation_sessions_v2"]} | {row["user_id"] for row in demo.unlinked}
    assert sum(all(row["id"] in talked for row in rows) for rows in twins) >= 10


@pytest.mark.parametrize("table", ["conversation_sessions_v2", "recent_history_v2", "wishlist_v2"])
def test_ids_grow_with_time(demo: Demo, table: str) -> None:
    rows = demo[table]
    assert [int(row["id"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["created_at"] <= later["created_at"] for row, later in itertools.pairwise(rows))


def test_nothing_crosses_a_tenant(demo: Demo) -> None:
    tables = (
        "conversation_sessions_v2",
        "recent_history_v2",
        "wishlist_v2",
        "active_sessions_v2",
        "user_ltm_v2",
    )
    for table in tables:
        for row in demo[table]:
            assert demo.clients[row["user_id"]]["tenant_id"] == row["tenant_id"]
    assert {row["tenant_id"] for row in demo["clients_v2"]} == set(demo.tenants)


def test_a_message_belongs_to_its_sessions_client_and_lies_in_its_window(demo: Demo) -> None:
    for row in demo["recent_history_v2"]:
        session = demo.sessions.get(row["session_id"])
        if session:
            assert (row["tenant_id"], row["user_id"]) == (session["tenant_id"], session["user_id"])
            assert row["channel"] == session["channel"]
            assert session["started_at"] <= row["created_at"] <= (session["ended_at"] or session["created_at"])


def test_counts_add_up_but_for_a_few_sessions(demo: Demo) -> None:
    owners = owners_of(demo)
    counted: Counter[tuple[str, str]] = Counter()
    for row in demo["recent_history_v2"]:
        counted[row["session_id"] or owners.get(int(row["id"]), ""), row["role"]] += 1
    wrong = 0
    for session in demo["conversation_sessions_v2"]:
        agent, user = int(session["agent_messages_count"]), int(session["user_messages_count"])
        assert agent == counted[session["session_id"], "assistant"]
        assert user == counted[session["session_id"], "user"]
        wrong += int(session["messages_count"]) != agent + user
    assert 0 < wrong < 0.03 * 4000


def test_a_duration_is_the_end_minus_the_start_and_few_ends_are_missing(demo: Demo) -> None:
    missing = 0
    for row in demo["conversation_sessions_v2"]:
        if row["ended_at"]:
            lasted = instant(row["ended_at"]) - instant(row["started_at"])
            assert int(row["duration_sec"]) == lasted.total_seconds() > 0
        else:
            assert row["duration_sec"] == ""
            missing += 1
    assert 0 < missing < 0.03 * 4000


def test_a_client_holds_one_dialogue_at_a_time(demo: Demo) -> None:
    last: dict[str, str] = {}
    for row in sorted(demo["conversation_sessions_v2"], key=lambda row: row["started_at"]):
        assert last.get(row["user_id"], "") < row["started_at"]
        last[row["user_id"]] = row["created_at"]


def test_nothing_recorded_is_later_than_the_export(demo: Demo) -> None:
    end = demo.summary.exported_at.strftime("%Y-%m-%d %H:%M:%S+00")
    assert demo.summary.exported_at == datetime(2026, 11, 1, tzinfo=UTC)
    for rows in demo.tables.values():
        for column in (
            "created_at",
            "updated_at",
            "started_at",
            "ended_at",
            "processed_at",
            "last_activity_at",
        ):
            assert all(row.get(column, "") < end for row in rows)


def test_bookings_fall_in_opening_hours_and_nobody_is_booked_twice(demo: Demo) -> None:
    last = {}
    for row in demo["conversation_sessions_v2"]:
        if not row["booking_id"]:
            continue
        local = instant(row["booking_datetime"]).astimezone(demo.clock_of(row))
        opens, closes = HOURS[demo.tenants[row["tenant_id"]]["name"]]
        assert opens <= local.hour < closes
        assert local.strftime("%Y-%m-%dT%H:%M:%S") == meta(row)["selected_datetime"]
        assert row["booking_datetime"] > row["created_at"]
        if row["booking_status"] == "confirmed":
            last[row["booking_id"]] = (meta(row)["staff_id"], row["booking_datetime"])
    assert len(set(last.values())) == len(last)


def test_a_booked_session_has_all_of_its_booking_and_another_has_none(demo: Demo) -> None:
    without_amount = 0
    for row in demo["conversation_sessions_v2"]:
        booked = bool(row["booking_id"])
        for column in ("booking_source", "booking_status", "booking_datetime", "booking_currency"):
            assert bool(row[column]) is booked
        without_amount += booked and not row["booking_amount"]
        currency = "EUR" if demo.tenants[row["tenant_id"]]["slug"] == "berlin-beauty" else "RUB"
        assert row["booking_currency"] in ("", currency)
    assert 0 < without_amount < 0.03 * 4000


def test_3091_oldest_messages_have_no_session(demo: Demo) -> None:
    assert len(demo.unlinked) == 3091
    assert [int(row["id"]) for row in demo.unlinked] == list(range(1, 3092))


def test_most_legacy_dialogues_lie_in_an_archived_window_and_some_were_never_archived(demo: Demo) -> None:
    share = len(owners_of(demo)) / 3091
    assert 0.88 < share < 0.98


def test_legacy_sessions_are_all_auto_closed_and_later_ones_mostly_right(demo: Demo) -> None:
    legacy = [row for row in demo["conversation_sessions_v2"] if row["started_at"] <= demo.legacy_end]
    assert {row["final_status"] for row in legacy} == {"auto_closed"}
    assert sum(bool(row["booking_id"]) for row in legacy) > 50
    booked = [row for row in demo.current() if row["booking_id"]]
    left = sum(row["final_status"] == "auto_closed" for row in booked)
    assert 0.01 < left / len(booked) < 0.05
    assert all(row["booking_id"] for row in demo["conversation_sessions_v2"] if row["final_status"] == "done")


def test_a_session_without_a_booking_says_where_it_stopped_but_for_a_few(demo: Demo) -> None:
    missing = 0
    for row in demo["conversation_sessions_v2"]:
        facts = meta(row)
        missing += "drop_off_stage" not in facts
        if "drop_off_stage" in facts:
            assert (facts["drop_off_stage"] is None) is bool(row["booking_id"])
    assert 0 < missing < 0.04 * 4000


def test_some_messages_belong_to_sessions_that_only_the_active_table_knows(demo: Demo) -> None:
    orphans = [row for row in demo["recent_history_v2"] if row["session_id"] and row["session_id"] not in demo.sessions]
    assert 5 <= len(orphans) <= 60
    assert {row["session_id"] for row in orphans} <= set(demo.active)
    assert all(row["created_at"] > demo.legacy_end for row in orphans)
    assert set(demo.active) & set(demo.sessions)


def test_wishes_are_pending_converted_and_cancelled_and_legacy_ones_wait_for_ever(demo: Demo) -> None:
    wishes = demo["wishlist_v2"]
    assert 0.04 < len(wishes) / 4000 < 0.08
    assert {row["status"] for row in wishes} == {"pending", "converted", "cancelled"}
    last = DEMO_LAST_DAY.isoformat()
    assert any(row["status"] == "pending" and meta(row)["date"] > last for row in wishes)
    legacy = [row for row in wishes if row["created_at"] <= demo.legacy_end]
    assert len(legacy) > 5
    assert {row["status"] for row in legacy} == {"pending"}
    for row in wishes:
        assert bool(row["processed_at"]) is (row["status"] != "pending")
        assert bool(row["amount"]) is (row["status"] == "converted")
        assert row["processed_at"] == "" or row["processed_at"] > row["created_at"]
        assert row["item_id"] == f"service_{meta(row)['service_id']}"
        assert meta(row)["time_preference"] in ("morning", "afternoon", "evening", None)


def test_a_moved_booking_is_cancelled_and_its_successor_names_it(demo: Demo) -> None:
    by_booking = {row["booking_id"]: row for row in demo["conversation_sessions_v2"] if row["booking_id"]}
    moved = [row for row in demo["conversation_sessions_v2"] if "rescheduled_from" in meta(row)]
    assert len(moved) > 25
    for row in moved:
        old = by_booking[meta(row)["rescheduled_from"]]
        assert row["final_intent"] == "reschedule"
        assert old["booking_status"] == "cancelled"
        assert (demo.person_of(old), old["started_at"] < row["started_at"]) == (demo.person_of(row), True)


def test_bookings_are_kept_cancelled_missed_and_still_ahead(demo: Demo) -> None:
    rows = demo["conversation_sessions_v2"]
    cancels = [meta(row)["cancelled_booking_id"] for row in rows if row["final_intent"] == "cancel"]
    by_booking = {row["booking_id"]: row for row in rows if row["booking_id"]}
    assert len(cancels) > 40
    assert {by_booking[booking]["booking_status"] for booking in cancels} == {"cancelled"}
    missed = [row for row in rows if meta(row).get("visit_status") == "no_show"]
    end = demo.summary.exported_at
    assert len(missed) > 40
    assert all(row["booking_status"] == "confirmed" and instant(row["booking_datetime"]) < end for row in missed)
    assert sum(instant(row["booking_datetime"]) > end for row in by_booking.values()) > 20


def test_clients_come_back_and_the_bots_remember_them(demo: Demo) -> None:
    visits = Counter(row["user_id"] for row in demo["conversation_sessions_v2"] if row["booking_id"])
    assert sum(count >= 4 for count in visits.values()) > 60
    assert sum(count == 1 for count in visits.values()) > 200
    for row in demo["user_ltm_v2"]:
        assert json.loads(row["ltm_data"])["favorite_services"]
        assert (row["last_visit_date"], row["avg_visit_interval"], row["churn_risk_score"]) == ("", "", "0.0")


def test_the_text_names_what_was_booked(demo: Demo) -> None:
    texts = defaultdict(list)
    for row in demo["recent_history_v2"]:
        texts[row["session_id"]].append(row["message"])
    for row in demo.current():
        if row["booking_id"] and row["final_intent"] == "booking":
            clock = instant(row["booking_datetime"]).astimezone(demo.clock_of(row))
            talk = "\n".join(texts[row["session_id"]])
            assert f"{clock.hour}:{clock.minute:02}" in talk
            assert f"{clock.day} " in talk


def test_talk_has_a_long_pause_and_crosses_midnight_now_and_then(demo: Demo) -> None:
    long_pause = at_midnight = 0
    last: dict[str, datetime] = {}
    for row in demo["recent_history_v2"]:
        at = instant(row["created_at"])
        if row["session_id"]:
            long_pause += at - last.get(row["session_id"], at) > timedelta(minutes=39)
            last[row["session_id"]] = at
        at_midnight += at.astimezone(demo.clock_of(row)).strftime("%H%M%S") == "000000"
    assert 20 < long_pause < 400
    assert at_midnight >= 1


def test_the_tenants_have_several_clocks_and_currencies_and_one_has_left(demo: Demo) -> None:
    zones = [json.loads(row["metadata"])["settings"].get("timezone") for row in demo["tenants_v2"]]
    assert len(set(zones)) == 6
    assert zones.count(None) == 1
    assert [row["is_active"] for row in demo["tenants_v2"]].count("false") == 1
    left = next(row["id"] for row in demo["tenants_v2"] if row["is_active"] == "false")
    assert max(row["started_at"] for row in demo.sessions.values() if row["tenant_id"] == left) < "2026-06-02"


@pytest.mark.parametrize("zone", sorted({profile.zone for profile in PROFILES if profile.zone}))
def test_the_written_clocks_are_those_of_the_zone_files(zone: str) -> None:
    for number in range(number_day(date(2025, 1, 1)), number_day(date(2027, 12, 31))):
        noon = datetime.fromtimestamp(number * DAY + 12 * 3600 - offset_of(zone, number), tz=ZoneInfo(zone))
        assert noon.hour == 12


@pytest.mark.parametrize("sessions", [1, 2, 50, 1499, 1500])
def test_any_size_has_exactly_its_sessions_and_its_share_of_legacy(tmp_path: Path, sessions: int) -> None:
    demo = Demo(tmp_path, write_demo(tmp_path, sessions=sessions))
    assert len(demo.sessions) == sessions
    assert len(demo.unlinked) == min(3091, len(demo["recent_history_v2"]) * 35 // 100)
    orphans = [row for row in demo["recent_history_v2"] if row["session_id"] in set(demo.active) - set(demo.sessions)]
    assert len(orphans) >= 5
    linked = {row["session_id"] for row in demo["recent_history_v2"]} - {""}
    assert linked <= set(demo.active) | set(demo.sessions)


def test_the_same_arguments_write_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_demo(tmp_path / name, sessions=1600, seed=seed)
    for table in COLUMNS:
        one, two, three = ((tmp_path / name / f"{table}.csv.gz").read_bytes() for name in ("one", "two", "three"))
        assert one == two
        assert one != three


def test_another_last_day_moves_the_year(tmp_path: Path) -> None:
    summary = write_demo(tmp_path, sessions=100, last_day=date(2024, 2, 29))
    assert (summary.first_day, summary.last_day) == (date(2023, 3, 2), date(2024, 2, 29))


def test_progress_ends_at_the_number_of_sessions(tmp_path: Path) -> None:
    seen: list[int] = []
    write_demo(tmp_path, sessions=300, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 300


def test_a_chain_without_sessions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one session"):
        write_demo(tmp_path, sessions=0)
