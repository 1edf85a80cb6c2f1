"""Money comes from bookings, each once (METRICS, "Revenue"; docs/decisions.md, "Money"): one figure in every mart."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agentp.settings import Settings
from tests.support.marts import Workshop, make_id

AS_OF = "2026-02-28"
SALONS = (
    "told twice", "cancelled later", "moved on", "there and back", "spelt", "missed", "a word", "no word", "by hand",
    "recorded", "merged",
)  # fmt: skip
CANCELLED = (
    "cancelled", "canceled", "CANCELLED", " cancelled ", "Cancelled_by_user", "cancelled-by-salon", "Отменена",
    "ОТМЕНЕНО", "отменена клиентом", "cancelled\n",
)  # fmt: skip
MISSED = ("No Show", "no-show", "NOSHOW", "-1", "не пришёл", "did not come")
Book = Callable[..., None]


@pytest.fixture(scope="module")
def chain(make_database: Callable[[str | None], str], built_template: str, home: Path) -> Workshop:
    """Salons of one client each, who books in a way of their own; built."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    for salon in SALONS:
        workshop.add_tenant(salon)
        workshop.add_client(salon, f"client of {salon}")

    def book(
        salon: str, booking: str, day: int, *, amount: int = 1000, status: str | None = "confirmed", **more: Any
    ) -> None:
        told = {
            "booking_id": booking, "booking_datetime": "2026-02-20 09:00+00", "booking_status": status,
            "booking_amount": amount, "booking_currency": "RUB", "booking_source": "bot", **more,
        }  # fmt: skip
        name = f"{salon}, {booking}, {day}"
        workshop.add_session(
            name, f"2026-02-{day:02} 06:00+00", None, tenant=salon, client=f"client of {salon}", **told
        )

    tell(book)
    workshop.build(as_of=AS_OF)
    return workshop


def tell(book: Book) -> None:
    """Have the clients book."""
    book("told twice", "1", 1)
    book("told twice", "1", 3, final_intent="reschedule", booking_datetime="2026-02-21 09:00+00")
    book("cancelled later", "1", 1)
    book("cancelled later", "1", 3, final_intent="cancel", status="cancelled")
    book("moved on", "1", 1, amount=900)
    book("moved on", "2", 3, meta={"rescheduled_from": "1"}, booking_source="manual")
    book("moved on", "3", 4, meta={"rescheduled_from": "2"}, booking_datetime="2026-03-03 09:00+00")
    book("there and back", "1", 1)
    book("there and back", "2", 2, meta={"rescheduled_from": "1"})
    book("there and back", "1", 3, meta={"rescheduled_from": "2"})
    for number, word in enumerate(CANCELLED):
        book("spelt", f"{number}", 1, status=word)
    for number, word in enumerate(MISSED):
        book("missed", f"{number}", 1, status=word)
    book("a word", "past", 1, status="paid")
    book("a word", "ahead", 1, status="paid", booking_datetime="2026-03-09 09:00+00")
    book("no word", "past", 1, status=None)
    book("no word", "ahead", 1, status=None, booking_datetime="2026-03-09 09:00+00")
    book("no word", "created", 1, status="created")
    book("by hand", "1", 1, booking_source="Manual")
    book("by hand", "2", 1)
    book("by hand", "2", 2, booking_source="manual", status="cancelled")
    book("recorded", "1", 1, status="Завершена")
    book("recorded", "2", 1, booking_datetime="2026-02-22 09:00+00")
    book("merged", "1", 1)
    book("merged", "2", 2)
    book("merged", "3", 3, meta={"rescheduled_from": "1"})
    book("merged", "3", 4, meta={"rescheduled_from": "2"})


def read_revenue(chain: Workshop, salon: str) -> dict[str, dict[str, Any]]:
    """Return the salon's revenue by day."""
    rows = chain.execute("select * from dashboard.revenue_daily where tenant_id = %s order by day", [make_id(salon)])
    assert all(row["currency"] == "RUB" and row["is_final"] for row in rows)
    return {str(row["day"])[5:]: row for row in rows}


def read_kpi(chain: Workshop, salon: str, measure: str) -> Decimal:
    """Return a measure of the last 30 days."""
    [row] = chain.execute(
        "select value from dashboard.kpis where tenant_id = %s and measure = %s and period_days = 30",
        [make_id(salon), measure],
    )
    return Decimal(row["value"])


def take(row: dict[str, Any], *parts: str) -> list[tuple[int, int]]:
    """Return count and amount of some parts of a day's revenue."""
    counts = {"kept": "kept_bookings", "cancelled": "cancelled_bookings"}
    return [(row[counts.get(part, f"{part}_count")], int(row[f"{part}_amount"])) for part in parts]


def test_a_booking_told_twice_is_booked_and_earned_once(chain: Workshop) -> None:
    revenue = read_revenue(chain, "told twice")
    assert list(revenue) == ["02-01", "02-21"]
    assert take(revenue["02-01"], "booked", "kept", "earned") == [(1, 1000), (1, 1000), (0, 0)]
    assert take(revenue["02-21"], "booked", "kept", "earned", "earned_recorded") == [(0, 0), (0, 0), (1, 1000), (0, 0)]


def test_a_booking_cancelled_in_a_later_dialogue_is_booked_and_not_kept(chain: Workshop) -> None:
    [(_, day)] = read_revenue(chain, "cancelled later").items()
    assert take(day, "booked", "kept", "cancelled") == [(1, 1000), (0, 0), (1, 1000)]


def test_moves_to_new_ids_are_one_booking_of_the_day_it_was_made_at_the_price_it_has(chain: Workshop) -> None:
    [(name, day)] = read_revenue(chain, "moved on").items()
    assert (name, take(day, "booked", "kept")) == ("02-01", [(1, 1000), (1, 1000)])


def test_a_booking_moved_to_a_new_id_and_back_stands(chain: Workshop) -> None:
    revenue = read_revenue(chain, "there and back")
    assert take(revenue["02-01"], "booked", "kept") == [(1, 1000), (1, 1000)]
    assert take(revenue["02-20"], "earned") == [(1, 1000)]


def test_two_bookings_moved_into_one_are_one(chain: Workshop) -> None:
    revenue = read_revenue(chain, "merged")
    assert take(revenue["02-01"], "booked", "kept") == [(1, 1000), (1, 1000)]
    assert list(revenue) == ["02-01", "02-20"]


def test_a_cancellation_is_one_however_it_is_spelt(chain: Workshop) -> None:
    [(_, day)] = read_revenue(chain, "spelt").items()
    everyone = len(CANCELLED)
    assert take(day, "booked", "kept", "cancelled") == [
        (everyone, 1000 * everyone),
        (0, 0),
        (everyone, 1000 * everyone),
    ]


def test_a_missed_booking_is_in_neither_kept_nor_earned(chain: Workshop) -> None:
    [(_, day)] = read_revenue(chain, "missed").items()
    everyone = len(MISSED)
    assert take(day, "booked", "kept", "no_show", "unknown", "earned") == [
        (everyone, 1000 * everyone), (0, 0), (everyone, 1000 * everyone), (0, 0), (0, 0),
    ]  # fmt: skip


def test_a_word_that_nobody_knows_is_in_booked_and_unknown_alone(chain: Workshop) -> None:
    [(_, day)] = read_revenue(chain, "a word").items()
    assert take(day, "booked", "kept", "cancelled", "unknown", "earned") == [
        (2, 2000), (0, 0), (0, 0), (2, 2000), (0, 0),
    ]  # fmt: skip
    kinds = chain.execute(
        "select distinct status_kind, outcome from dashboard.visits where tenant_id = %s", [make_id("a word")]
    )
    assert kinds == [{"status_kind": "unknown", "outcome": "unknown"}]


def test_a_past_booking_without_a_status_is_unknown_and_one_that_stands_is_kept(chain: Workshop) -> None:
    [(_, day)] = read_revenue(chain, "no word").items()
    assert take(day, "booked", "kept", "unknown", "earned") == [(3, 3000), (2, 2000), (1, 1000), (0, 0)]


def test_what_was_recorded_stands_beside_what_is_presumed(chain: Workshop) -> None:
    revenue = read_revenue(chain, "recorded")
    assert take(revenue["02-20"], "earned", "earned_recorded") == [(1, 1000), (1, 1000)]
    assert take(revenue["02-22"], "earned", "earned_recorded") == [(1, 1000), (0, 0)]


@pytest.mark.parametrize("salon", SALONS)
def test_every_mart_says_the_same_of_a_salons_money(chain: Workshop, salon: str) -> None:
    [visits] = chain.execute(
        "select count(*) filter (where outcome <> 'moved') as booked, count(*) filter (where is_kept) as kept, "
        "coalesce(sum(booking_amount) filter (where is_kept), 0) as kept_amount, "
        "coalesce(sum(booking_amount) filter (where is_visit), 0) as earned_amount, "
        "count(*) filter (where outcome = 'cancelled') as cancelled "
        "from dashboard.visits where tenant_id = %s",
        [make_id(salon)],
    )
    [revenue] = chain.execute(
        "select sum(booked_count) as booked, sum(kept_bookings) as kept, sum(kept_amount) as kept_amount, "
        "sum(earned_amount) as earned_amount, sum(cancelled_bookings) as cancelled "
        "from dashboard.revenue_daily where tenant_id = %s",
        [make_id(salon)],
    )
    [days] = chain.execute(
        "select sum(new_bookings) as booked, sum(cancellations) as cancelled "
        "from dashboard.metrics_dailies where tenant_id = %s",
        [make_id(salon)],
    )
    kpis = {
        "booked": read_kpi(chain, salon, "bookings"), "kept": read_kpi(chain, salon, "kept_bookings"),
        "cancelled": read_kpi(chain, salon, "cancelled_bookings"),
        "kept_amount": read_kpi(chain, salon, "kept_amount"), "earned_amount": read_kpi(chain, salon, "earned_amount"),
    }  # fmt: skip
    assert revenue == kpis == visits
    assert days == {name: visits[name] for name in days}


def test_what_the_bot_brought_is_the_bots(chain: Workshop) -> None:
    [day] = chain.execute(
        "select new_bookings_by_source, cancellations_by_source, moves, bookings, cancelled_bookings "
        "from dashboard.metrics_dailies where tenant_id = %s and day = '2026-02-01'",
        [make_id("by hand")],
    )
    assert day["new_bookings_by_source"] == {"manual": 1, "bot": 1}
    # The booking is the bot's, whoever cancelled it; the seed's column knows only of dialogues of the day.
    assert day["cancellations_by_source"] == {"bot": 1}
    assert (day["bookings"], day["cancelled_bookings"]) == (2, 0)
    [moved] = chain.execute(
        "select moves, moves_by_source, new_bookings from dashboard.metrics_dailies "
        "where tenant_id = %s and day = '2026-02-01'",
        [make_id("moved on")],
    )
    assert moved == {"moves": 2, "moves_by_source": {"bot": 2}, "new_bookings": 1}
    assert read_kpi(chain, "by hand", "bot_bookings") == 1


def test_a_rate_of_presumed_visits_is_counted_and_not_told(chain: Workshop) -> None:
    rates = chain.execute(
        "select tenant_id, rate, part_count, whole_count, presumed_count, recorded_share from dashboard.visit_rates "
        "where measure = 'arrival' and tenant_id = any(%s)",
        [[make_id("told twice"), make_id("recorded"), make_id("missed")]],
    )
    found = {row.pop("tenant_id"): tuple(row.values()) for row in rates}
    assert found == {
        make_id("told twice"): (None, 1, 1, 1, 0),
        make_id("recorded"): (1, 2, 2, 1, Decimal("0.5")),
        make_id("missed"): (0, 0, 6, 0, 1),
    }
    [kpi] = chain.execute(
        "select value, value_low, part_count, presumed_count from dashboard.kpis "
        "where tenant_id = %s and measure = 'no_show_rate' and period_days = 30",
        [make_id("told twice")],
    )
    assert tuple(kpi.values()) == (None, None, 0, 1)
