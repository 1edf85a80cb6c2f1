"""Frames of figures: days, funnel, hours of the week, services and staff; added up by hand from the fixed salon."""

# ruff: noqa: DTZ001  (times are the salon's wall clock, without a zone, as reading gives them)

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from reports.cells import is_missing
from reports.frames.daily import DAYS_DRAWN, choose_days, sum_revenue
from reports.frames.funnel import ALL, Drop, count_others, find_biggest_drop, sum_funnel
from reports.frames.services import sum_visits
from reports.frames.traffic import WEEKS, count_weeks, find_busiest, make_heat_map
from tests.reports.salon_frames import (
    DAYS,
    FUNNEL,
    LAST_DAY,
    METRICS,
    MONTHLY,
    REVENUE,
    SALON_FRAMES,
    TRAFFIC,
    make_rows,
    money,
)  # fmt: skip


def pick(frame: Any, **wanted: Any) -> dict[str, Any]:
    """The one row that has these values."""
    rows = [row for row in frame.to_dict("records") if all(row[name] == value for name, value in wanted.items())]
    assert len(rows) == 1
    found: dict[str, Any] = rows[0]
    return found


def list_rows(frame: Any) -> list[list[Any]]:
    """The rows, with None for what is missing: pandas makes NaN of it beside texts."""
    return [[None if is_missing(value) else value for value in row] for row in frame.to_numpy().tolist()]


def test_ninety_final_days_are_drawn_oldest_first_and_silent_ones_among_them() -> None:
    days = choose_days(SALON_FRAMES["metrics_dailies"], last_day=LAST_DAY)
    assert days["day"].tolist() == [date(2026, 8, 3)] + [date(2026, 10, day) for day in range(11, 32)]
    assert (LAST_DAY - days["day"][0]).days + 1 == DAYS_DRAWN
    assert pick(days, day=date(2026, 10, 18))["dialogs_started"] == 0
    assert pick(days, day=date(2026, 10, 18))["median_response_ms"] is None
    # 77 and 44 in October, and one each on 3 August.
    assert (sum(days["dialogs_started"]), sum(days["bookings"])) == (sum(row[1] for row in DAYS) + 1, 43 + 1)


def test_amounts_are_summed_in_no_currency_but_their_own() -> None:
    revenue = sum_revenue(SALON_FRAMES["revenue_daily"], last_day=LAST_DAY)
    assert revenue[["day", "currency", "kept_amount"]].to_numpy().tolist() == [
        [date(2026, 10, 24), "RUB", money("7000.00")], [date(2026, 10, 30), "XXX", money("700.00")],
        [date(2026, 10, 31), "EUR", money("60.25")], [date(2026, 10, 31), "RUB", money("1500.50")],
    ]  # fmt: skip


def test_the_funnel_counts_thirty_final_days_over_all_channels() -> None:
    steps = sum_funnel(SALON_FRAMES["funnel_daily"], last_day=LAST_DAY, days=30)
    assert steps[steps["channel"] == ALL][["step", "sessions", "dropped", "inferred"]].to_numpy().tolist() == [
        ["started", 6 + 4 + 5 + 2, None, None], ["service", 5 + 4 + 3 + 2, 1 + 0 + 2 + 0, 1 + 1],
        ["staff", 4 + 3 + 3 + 2, 1 + 1 + 0 + 0, 1 + 1], ["time", 4 + 2 + 2 + 2, 0 + 1 + 1 + 0, 0],
        ["booked", 3 + 2 + 1 + 2, 1 + 0 + 1 + 0, 1 + 1],
    ]  # fmt: skip


def test_dialogues_about_something_else_are_counted_beside_the_funnel() -> None:
    # Of the thirty final days alone.
    assert count_others(SALON_FRAMES["funnel_daily"], last_day=LAST_DAY, days=30) == 3 + 2 + 4 + 2
    assert count_others(make_rows("funnel_daily", []), last_day=None, days=30) == 0


def test_channels_of_the_funnel_add_up_to_all_of_it() -> None:
    steps = sum_funnel(SALON_FRAMES["funnel_daily"], last_day=LAST_DAY, days=30)
    of = {channel: steps[steps["channel"] == channel]["sessions"].tolist() for channel in set(steps["channel"])}
    assert of == {ALL: [17, 14, 12, 10, 8], "telegram": [10, 9, 7, 6, 5], "whatsapp": [7, 5, 5, 4, 3]}


def test_who_dropped_is_who_came_to_the_step_before_and_no_further() -> None:
    steps = sum_funnel(SALON_FRAMES["funnel_daily"], last_day=LAST_DAY, days=30)
    for channel in set(steps["channel"]):
        sessions, dropped = (steps[steps["channel"] == channel][name].tolist() for name in ("sessions", "dropped"))
        assert [before - after for before, after in pairwise(sessions)] == dropped[1:]


def test_shares_of_the_funnel_are_of_the_step_before_and_of_all() -> None:
    steps = sum_funnel(SALON_FRAMES["funnel_daily"], last_day=LAST_DAY, days=30)
    time = pick(steps, channel=ALL, step="time")
    assert (time["step_share"], time["total_share"]) == (Decimal("0.8333"), Decimal("0.5882"))  # 10/12, 10/17
    started = pick(steps, channel="whatsapp", step="started")
    assert (started["step_share"], started["total_share"]) == (None, None)


def test_one_channel_is_not_shown_twice() -> None:
    steps = sum_funnel(make_rows("funnel_daily", FUNNEL[1:3]), last_day=LAST_DAY, days=30)
    assert steps["channel"].tolist() == ["telegram"] * 5
    assert find_biggest_drop(steps) == Drop(step="staff", count=2, whole=5)


def test_the_biggest_drop_is_told_with_its_step() -> None:
    steps = sum_funnel(SALON_FRAMES["funnel_daily"], last_day=LAST_DAY, days=30)
    assert find_biggest_drop(steps) == Drop(step="service", count=3, whole=9)


def test_a_funnel_that_nobody_left_has_no_biggest_drop() -> None:
    full = [(date(2026, 10, 31), "telegram", True, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 5)]
    assert find_biggest_drop(sum_funnel(make_rows("funnel_daily", full), last_day=LAST_DAY, days=30)) is None
    empty = sum_funnel(make_rows("funnel_daily", []), last_day=None, days=30)
    assert find_biggest_drop(empty) is None
    assert (empty["sessions"].tolist(), set(empty["total_share"])) == ([0] * 5, {None})


def test_nothing_is_counted_where_no_day_was_ever_final() -> None:
    assert sum(sum_funnel(make_rows("funnel_daily", FUNNEL[:1]), last_day=None, days=30)["sessions"]) == 0
    assert sum(make_heat_map(make_rows("traffic_hourly", TRAFFIC[:1]), last_day=None)["user_messages"]) == 0
    assert len(choose_days(make_rows("metrics_dailies", METRICS[:1]), last_day=None)) == 0
    assert len(sum_revenue(make_rows("revenue_daily", REVENUE[:1]), last_day=None)) == 0


def test_a_day_that_is_not_over_is_in_no_figure_even_before_the_last_one_that_is() -> None:
    day, last_day = date(2026, 10, 30), LAST_DAY
    funnel = sum_funnel(make_rows("funnel_daily", [(day, *FUNNEL[0][1:])]), last_day=last_day, days=30)
    assert sum(funnel["sessions"]) == 0
    assert find_busiest(make_heat_map(make_rows("traffic_hourly", [(day, *TRAFFIC[0][1:])]), last_day=last_day)) is None
    assert len(choose_days(make_rows("metrics_dailies", [(day, *METRICS[0][1:])]), last_day=last_day)) == 0


def test_the_map_of_hours_sums_twelve_weeks_by_weekday_and_hour() -> None:
    heat_map = make_heat_map(SALON_FRAMES["traffic_hourly"], last_day=LAST_DAY)
    cells = {(row["weekday"], row["hour"]): row for row in heat_map.to_dict("records")}
    assert sorted(cells) == [(weekday, hour) for weekday in range(7) for hour in range(24)]
    saturday = cells[5, 10]  # the 24th and the 31st of October; 8 August is a day too early
    assert (saturday["user_messages"], saturday["sessions_started"]) == (6 + 3, 2 + 1)
    assert saturday["per_week"] == Decimal("0.75") == Decimal(9) / WEEKS
    filled = {place: row["user_messages"] for place, row in cells.items() if row["user_messages"]}
    assert filled == {(5, 10): 9, (0, 18): 4, (6, 2): 1, (6, 23): 2}


def test_every_weekday_is_in_the_map_as_often_as_any_other() -> None:
    rows = [(LAST_DAY - timedelta(days=back), hour, True, 1, 0, 2) for back in range(200) for hour in range(0, 24, 5)]
    heat_map = make_heat_map(make_rows("traffic_hourly", rows), last_day=LAST_DAY)
    assert set(heat_map[heat_map["hour"] == 5]["user_messages"]) == {2 * WEEKS}
    assert set(heat_map[heat_map["hour"] == 6]["user_messages"]) == {0}


@pytest.mark.parametrize(("age", "weeks"), [(1, 1), (6, 1), (7, 1), (13, 1), (14, 2), (83, 11), (84, 12), (200, 12)])
def test_the_map_of_a_young_salon_counts_the_whole_weeks_since_it_began(age: int, weeks: int) -> None:
    rows = [(LAST_DAY - timedelta(days=back), 10, True, 1, 0, 3) for back in range(-1, age)]
    traffic = make_rows("traffic_hourly", rows)
    heat_map = make_heat_map(traffic, last_day=LAST_DAY)
    assert count_weeks(traffic, last_day=LAST_DAY) == weeks
    # Three messages at ten o'clock on each day that it had: three a week on every weekday, whatever its age.
    seen = min(age, 7)
    assert sorted(heat_map[heat_map["hour"] == 10]["per_week"]) == [0] * (7 - seen) + [3] * seen


def test_a_salon_without_a_message_is_said_to_be_looked_at_for_all_the_weeks() -> None:
    assert count_weeks(make_rows("traffic_hourly", []), last_day=LAST_DAY) == WEEKS
    assert count_weeks(make_rows("traffic_hourly", TRAFFIC[:1]), last_day=None) == WEEKS


def test_the_busiest_hour_is_that_with_most_messages() -> None:
    assert find_busiest(make_heat_map(SALON_FRAMES["traffic_hourly"], last_day=LAST_DAY)) == (5, 10)
    assert find_busiest(make_heat_map(make_rows("traffic_hourly", []), last_day=LAST_DAY)) is None


def test_a_sum_in_no_currency_of_which_no_price_is_known_is_none() -> None:
    rows = [
        (LAST_DAY, "XXX", True, 2, money("0.00"), 0, money("0.00"), 2, money("0"), 0, 0, money("0"), money("0")),
        (LAST_DAY, "RUB", True, 0, money("0"), 1, money("5"), 1, money("5"), 0, 0, money("0"), money("0")),
    ]
    revenue = sum_revenue(make_rows("revenue_daily", rows), last_day=LAST_DAY)
    assert list_rows(revenue[["currency", "kept_amount", "cancelled_amount", "booked_amount", "earned_amount"]]) == [
        ["RUB", money("0"), money("5"), money("5"), money("0")], ["XXX", None, None, None, None],
    ]  # fmt: skip


def test_a_service_is_listed_once_over_twelve_months_whatever_currency_its_rows_lack() -> None:
    services = sum_visits(SALON_FRAMES["visits_monthly"], by="service", last_day=LAST_DAY)
    names = ["service_title", "bookings_count", "arrived_count", "no_show_count", "cancelled_count", "upcoming_count",
             "arrived_amount", "currency", "others"]  # fmt: skip
    assert list_rows(services[names]) == [
        ["Маникюр", 2 + 10 + 1 + 5 + 2, 6 + 1 + 4 + 1, 2, 1 + 1 + 1, 2, money("14000.50"), "RUB",
         ((money("60.25"), "EUR"),)],
        [None, 4, 3, 1, 0, 0, money("700.00"), "XXX", ()],
        ["№ m2", 3, 1, 0, 2, 0, None, None, ()],
    ]  # fmt: skip


def test_the_missed_share_is_of_those_who_came_or_did_not_and_of_twenty_at_least() -> None:
    monthly = SALON_FRAMES["visits_monthly"]
    # 2 of 2 + 12; 1 of 1 + 3; none of 1: too few all of them, and twice as many are enough for the first.
    services = sum_visits(monthly, by="service", last_day=LAST_DAY)
    assert list_rows(services[["missed_share"]]) == [[None], [None], [None]]
    services = sum_visits(pd.concat([monthly, monthly]), by="service", last_day=LAST_DAY)
    assert list_rows(services[["missed_share"]]) == [[Decimal("0.1429")], [None], [None]]


def test_staff_and_services_have_the_same_visits() -> None:
    monthly = SALON_FRAMES["visits_monthly"]
    both = [sum_visits(monthly, by=by, last_day=LAST_DAY) for by in ("service", "staff")]  # type: ignore[arg-type]
    for name in ("bookings_count", "arrived_count", "no_show_count", "cancelled_count"):
        assert sum(both[0][name]) == sum(both[1][name])
    assert list_rows(both[1][["staff_name"]]) == [["Мария"], [None], ["№ s2"]]


@pytest.mark.parametrize(
    ("last_day", "first"),
    [
        (date(2026, 10, 31), date(2025, 11, 1)), (date(2026, 10, 1), date(2025, 11, 1)),
        (date(2026, 12, 31), date(2026, 1, 1)), (date(2027, 1, 1), date(2026, 2, 1)),
        (date(2028, 3, 1), date(2027, 4, 1)), (date(2028, 2, 29), date(2027, 3, 1)),
    ],
)  # fmt: skip
def test_a_month_and_the_eleven_before_it_are_counted(last_day: date, first: date) -> None:
    rows = []
    month = datetime(2024, 1, 1)
    while month.date() <= last_day:
        rows.append((month.date(), "m1", None, "s1", None, "RUB", 1, 1, 0, 0, 0, 0, money("1"), 0, 0, 50, 0))
        month = (month + timedelta(days=31)).replace(day=1)
    counted = sum_visits(make_rows("visits_monthly", rows), by="service", last_day=last_day)
    assert counted["bookings_count"].tolist() == [12]
    without = [row for row in rows if row[0] != first]
    counted = sum_visits(make_rows("visits_monthly", without), by="service", last_day=last_day)
    assert counted["bookings_count"].tolist() == [11]


@pytest.mark.parametrize(
    ("presumed", "percent", "share"),
    [(0, 50, "0.1600"), (10, 50, "0.1600"), (11, 50, None), (11, 45, "0.1600"), (20, 0, "0.1600")],
)
def test_a_share_of_missed_visits_is_of_recorded_ones_and_those_given_up_late(
    presumed: int, percent: int, share: str | None
) -> None:
    row = (date(2026, 10, 1), "m1", None, "s1", None, "RUB", 28, 16, 4, 8, 0, 0, money("1"), 0, presumed, percent, 5)
    found = sum_visits(make_rows("visits_monthly", [row]), by="service", last_day=LAST_DAY)
    assert found["missed_share"].tolist() == [share and Decimal(share)]
    assert found["presumed_count"].tolist() == [presumed]


def test_no_visits_are_no_services() -> None:
    assert len(sum_visits(make_rows("visits_monthly", MONTHLY[-1:]), by="staff", last_day=LAST_DAY)) == 0
