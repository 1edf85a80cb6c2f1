"""Frames across salons: ranks, the five problems, rules by run, how long ago anybody wrote."""

# ruff: noqa: DTZ001  (times are the salon's wall clock, without a zone, as reading gives them)

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pandas as pd

from reports.frames.chain import find_last_days, rank_salons, sum_failures, sum_problems
from reports.salon_pages import name_apart
from reports.selections import CHAIN
from tests.reports.chain_frames import NAMES, NORTH, QUIET, SALONS, SOUTH, make_chain, make_empty_chain
from tests.reports.salon_frames import LAST_DAY, make_figure, make_frame, make_rate


def test_salons_of_the_same_name_are_told_apart_and_others_left_as_they_are() -> None:
    names = name_apart(SALONS)
    assert len(set(names.values())) == 3
    assert names[QUIET] == "Тихая"
    assert names[NORTH].startswith("Бухта (")
    assert names[SOUTH].startswith("Бухта (")
    assert names[NORTH] != names[SOUTH]
    assert name_apart(SALONS[1:]) == {SOUTH: "Бухта", QUIET: "Тихая"}


def test_most_bookings_are_on_top_and_a_salon_with_none_has_its_row() -> None:
    ranked = rank_salons(make_chain()["kpis"], NAMES)
    assert ranked["tenant_id"].tolist() == [NORTH, SOUTH, QUIET]
    assert ranked["bookings"].tolist() == [20, 19, None]


def test_equal_salons_are_in_the_order_of_their_names() -> None:
    names = {UUID(int=1): "Б", UUID(int=2): "А", UUID(int=3): "В"}
    assert rank_salons(make_empty_chain()["kpis"], names)["salon"].tolist() == ["А", "Б", "В"]
    assert len(rank_salons(make_empty_chain()["kpis"], {})) == 0


def test_rates_of_fewer_than_twenty_are_left_out_of_the_ranks() -> None:
    north, south, _ = rank_salons(make_chain()["kpis"], NAMES).to_dict("records")
    assert (north["conversion"], north["conversion_n"], north["arrival_rate"]) == (Decimal("0.25"), 80, Decimal("0.7"))
    assert (south["conversion"], south["conversion_low"], south["conversion_high"]) == (None, None, None)
    assert south["conversion_n"] == 19
    rows = [(NORTH, *make_rate("no_show_rate", (1, 19), (1, 19))), (NORTH, *make_figure("dialogs", 3, 3))]
    ranked = rank_salons(make_frame(CHAIN["kpis"], rows), {NORTH: "Бухта"})
    assert (ranked["no_show_rate"].tolist(), ranked["dialogs"].tolist()) == ([None], [3])


def test_amounts_of_several_currencies_are_named_and_not_added() -> None:
    ranked = rank_salons(make_chain()["kpis"], NAMES)
    assert ranked[["kept_amount", "currency", "other_currencies"]].to_numpy().tolist() == [
        [Decimal("120.50"), "EUR", "RUB"], [Decimal("700.00"), "XXX", None], [None, None, None],
    ]  # fmt: skip


def test_the_main_currency_is_the_one_that_most_bookings_are_priced_in() -> None:
    kpis = make_chain()["kpis"]
    euros = kpis[(kpis["measure"] == "kept_amount") & (kpis["currency"] == "EUR")].iloc[0]
    priced = pd.DataFrame(
        [{**euros, "measure": "avg_ticket", "currency": currency, "whole_count": n} for currency, n in
         (("EUR", 7), ("RUB", 6))], dtype=object,
    )  # fmt: skip
    first = rank_salons(pd.concat([kpis, priced], ignore_index=True), NAMES).iloc[0]
    assert (first["currency"], first["other_currencies"]) == ("EUR", "RUB")


def test_problems_are_added_over_salons_by_day() -> None:
    assert sum_problems(make_chain()["standard_problems"]).to_numpy().tolist() == [
        [date(2026, 10, 30), "session_id_null", 90, 9], [date(2026, 10, 31), "session_id_null", 100 + 50, 4 + 3],
        [date(2026, 10, 31), "wish_without_status", 5, 0],
    ]  # fmt: skip


def test_failures_are_added_over_salons_by_run() -> None:
    chain = make_chain()
    assert sum_failures(chain["rule_results"], chain["quality_runs"]).to_numpy().tolist() == [
        [10, datetime(2026, 10, 31, 3), "messages.have_session", 9],
        [10, datetime(2026, 10, 31, 3), "sessions.done_when_booked", 2],
        [11, datetime(2026, 11, 1, 3), "messages.have_session", 4 + 3],
        [11, datetime(2026, 11, 1, 3), "sessions.done_when_booked", 1],
    ]


def test_a_salon_is_as_fresh_as_the_last_day_on_which_anybody_wrote() -> None:
    # A day after the last final one is no negative number of days ago.
    assert find_last_days(make_chain()["traffic"], NAMES, last_day=LAST_DAY).to_numpy().tolist() == [
        [NAMES[NORTH], date(2026, 11, 1), 0, 2], [NAMES[SOUTH], date(2026, 10, 28), 3, 2], ["Тихая", None, None, 0],
    ]  # fmt: skip


def test_nothing_makes_empty_frames_with_their_columns() -> None:
    chain = make_empty_chain()
    assert list(sum_problems(chain["standard_problems"]).columns) == ["day", "problem", "rows_seen", "rows_failed"]
    assert len(sum_failures(chain["rule_results"], chain["quality_runs"])) == 0
    assert find_last_days(chain["traffic"], NAMES, last_day=None)["days_since"].tolist() == [None] * 3
