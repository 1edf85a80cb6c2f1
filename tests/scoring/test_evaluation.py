"""The aims of issue 4 on real data, split by time."""

from __future__ import annotations

from pathlib import Path

from scoring.evaluation.bookings import judge_as_of, judge_at_booking
from scoring.evaluation.churn import evaluate_cdnow
from scoring.evaluation.report import write_report
from scoring.evaluation.sources import load_hotel_bookings


def test_cdnow_is_foretold_as_well_as_by_a_regression_on_its_answers(tmp_path: Path) -> None:
    cdnow = evaluate_cdnow()
    assert cdnow.ours.n == 23_570
    assert cdnow.ours.auc >= 0.769
    assert round(cdnow.ours.brier, 3) <= 0.158
    assert cdnow.ours.ece <= 0.02
    write_report([cdnow], folder=tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.rglob("*.*")}
    write_report([cdnow], folder=tmp_path)
    assert first == {path.name: path.read_bytes() for path in tmp_path.rglob("*.*")}


def test_hotel_bookings_are_foretold_better_than_by_both_rows_of_three_factors() -> None:
    bookings = load_hotel_bookings()
    ours = judge_at_booking(bookings, "with tenants").ours
    assert ours.auc > 0.646
    assert ours.brier < 0.2308
    assert ours.ece < 0.071
    three_only = judge_at_booking(bookings.drop(columns="tenant_id"), "three factors").ours
    assert three_only.auc > 0.644
    assert three_only.brier < 0.2308
    assert three_only.ece < 0.071


def test_as_of_a_day_bookings_are_foretold_better_than_by_any_row_beside_it() -> None:
    evaluation = judge_as_of(load_hotel_bookings())
    others = evaluation.rows[:-1]
    assert evaluation.ours.auc > max(row.auc for row in others)
    assert evaluation.ours.brier < min(row.brier for row in others)
    assert evaluation.ours.ece < min(row.ece for row in others)
