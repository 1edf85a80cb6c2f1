"""Past days computed anew: as a run on those days made them, in chunks, taken up where it stopped, others untouched."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from agentp.errors import SetupError
from orchestration import backfills, runs
from orchestration.backfills import run_backfill
from orchestration.partitions import Days, find_days
from orchestration.tags import AS_OF, BACKFILL, FIRST_PARTITION, LAST_PARTITION
from orchestration.targets import Listener
from tests.support.jobs import run_job
from tests.support.marts import AS_OF as LAST_DAY
from tests.support.marts import Workshop

FEBRUARY = Days(date(2026, 2, 1), date(2026, 2, 28))


def spoil(salons: Workshop) -> None:
    """Change published rows behind the project's back, on days in February and one in January."""
    salons.execute("update dashboard.metrics_dailies set bookings = 99 where day = '2026-02-09'")
    salons.execute("update dashboard.metrics_dailies set p90_response_ms = 99 where day = '2026-01-31'")
    salons.execute("delete from dashboard.metrics_dailies where day = '2026-02-15'")
    salons.execute("update dashboard.funnel_daily set booked = 99")
    salons.execute("delete from dashboard.sessions where booking_id = 'far-9'")
    salons.execute("update dashboard.dialogs set message_text = 'spoilt' where sent_day = '2026-02-10'")
    # A row that nobody computed.
    salons.execute(
        "insert into dashboard.revenue_daily select (jsonb_populate_record(null::dashboard.revenue_daily, "
        'to_jsonb(revenue_daily) || \'{"day": "2026-02-16"}\')).* from dashboard.revenue_daily limit 1'
    )


def backfill(salons: Workshop, days: Days = FEBRUARY, *, chunk_days: int = 31) -> backfills.BackfillReport:
    return run_backfill(
        salons.settings, salons.url, days, chunk_days=chunk_days, listener=Listener(settings=salons.settings)
    )


def test_days_computed_anew_are_as_a_run_on_those_days_made_them_also_where_it_died_half_way(
    built_salons: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = built_salons.read_marts()
    spoil(built_salons)
    seen: list[Days] = []
    run_days = runs.run_days

    def die_at_the_second(settings: Any, days: Days, **options: Any) -> None:
        seen.append(days)
        if len(seen) == 2:
            raise KeyboardInterrupt
        run_days(settings, days, **options)

    monkeypatch.setattr(backfills, "run_days", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        backfill(built_salons, chunk_days=14)
    report = backfill(built_salons, chunk_days=14)
    assert (report.passed_over, report.computed, report.as_of) == (1, 1, "2026-02-28")
    assert list(map(str, seen)) == ["2026-02-01..2026-02-14", "2026-02-15..2026-02-28", "2026-02-15..2026-02-28"]

    after = built_salons.read_marts()
    untouched = date(2026, 1, 31)
    days = [row for row in before["dashboard.metrics_dailies"] if row["day"] != untouched]
    assert [row for row in after["dashboard.metrics_dailies"] if row["day"] != untouched] == days
    for mart in ("funnel_daily", "revenue_daily", "sessions", "dialogs", "visits"):
        assert after[f"dashboard.{mart}"] == before[f"dashboard.{mart}"], mart
    outside = [row for row in after["dashboard.metrics_dailies"] if row["day"] == untouched]
    assert {row["p90_response_ms"] for row in outside} == {99}, "days outside of the range are left as they are"

    # A backfill that ended is over: the same days again are computed again.
    monkeypatch.setattr(backfills, "run_days", lambda settings, days, **options: seen.append(days))
    monkeypatch.setattr(backfills, "check_marts", lambda *arguments, **options: 0)
    again = backfill(built_salons, chunk_days=14)
    assert (again.passed_over, len(seen)) == (0, 5)


def test_a_past_day_is_what_a_run_as_of_that_day_made_of_it(
    early_salons: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = "from dashboard.metrics_dailies where day between '2026-02-01' and '2026-02-12' order by tenant_id, day"
    early_salons.build(as_of="2026-02-12")
    then = early_salons.execute(f"select * {days}")
    early_salons.build()
    early_salons.execute("update dashboard.metrics_dailies set p90_response_ms = 99, unique_clients = 99")
    monkeypatch.setattr(backfills, "check_marts", lambda *arguments, **options: 0)
    backfill(early_salons, Days(date(2026, 2, 1), date(2026, 2, 12)))
    assert len(then) == 3 * 12
    assert early_salons.execute(f"select * {days}") == then


def test_a_backfill_from_the_ui_computes_the_days_it_names(built_salons: Workshop) -> None:
    built_salons.execute("update dashboard.metrics_dailies set bookings = 99")
    days = {FIRST_PARTITION: "2026-02-08", LAST_PARTITION: "2026-02-10"}
    run = run_job(built_salons, BACKFILL, tags={AS_OF: LAST_DAY, **days})
    assert run.success
    kept = built_salons.execute(
        "select count(*) filter (where bookings = 99) as spoilt, "
        "count(*) filter (where bookings <> 99 and day between '2026-02-08' and '2026-02-10') as mended "
        "from dashboard.metrics_dailies"
    )
    assert kept == [{"spoilt": 3 * 56, "mended": 9}]
    [history] = built_salons.execute(
        "select first_day::text, last_day::text from quality.job_runs where job = 'backfill'"
    )
    assert history == {"first_day": "2026-02-08", "last_day": "2026-02-10"}


def test_days_that_were_not_built_yet_are_refused(salons: Workshop, built_salons: Workshop) -> None:
    with pytest.raises(SetupError, match="Nothing has been built"):
        backfill(salons)
    with pytest.raises(SetupError, match="2026-03-02 lies after the last build, which is as of 2026-02-28"):
        backfill(built_salons, Days(date(2026, 2, 1), date(2026, 3, 2)))


def test_chunks_cover_the_days_once_and_end_with_the_last() -> None:
    chunks = FEBRUARY.cut(12)
    assert [str(chunk) for chunk in chunks] == [
        "2026-02-01..2026-02-12", "2026-02-13..2026-02-24", "2026-02-25..2026-02-28",
    ]  # fmt: skip
    assert Days(date(2026, 2, 1), date(2026, 2, 1)).cut(31) == [Days(date(2026, 2, 1), date(2026, 2, 1))]
    with pytest.raises(SetupError, match="before they begin"):
        Days(date(2026, 2, 2), date(2026, 2, 1))


def test_a_run_that_is_only_filed_under_a_day_computes_none_anew() -> None:
    assert find_days({"dagster/partition": "2026-02-01", "agentp/only_changes": "true"}) is None
    assert str(find_days({"dagster/partition": "2026-02-01"})) == "2026-02-01..2026-02-01"
    assert find_days({}) is None
