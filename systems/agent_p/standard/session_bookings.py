"""What a session booked (seed 01, sections 3 and 7)."""

from __future__ import annotations

from expectations.conditions import is_blank, is_unknown
from expectations.rules import StandardExpectation, expect_rows

BOOKING_COLUMNS = ("booking_id", "booking_source", "booking_status", "booking_currency")
BOOKING_FACTS = ("booking_datetime", "booking_amount")


def expect_bookings() -> list[StandardExpectation]:
    """All booking fields are filled when one is, and hold what they may."""
    missing = [is_blank(f"rows.{name}") for name in BOOKING_COLUMNS]
    missing += [f"(rows.{name} is null)" for name in BOOKING_FACTS]
    return [
        expect_rows(
            "sessions.booking_complete", section="3, 7", severity="warning",
            fails_when=f"({' or '.join(missing)}) and not ({' and '.join(missing)})",
            en="All booking_* fields are filled when one is: id, source, status, datetime, amount, currency.",
            ru="Если заполнено одно поле booking_*, заполнены все: id, source, status, datetime, amount, currency.",
        ),
        expect_rows(
            "sessions.booking_source_known", section="3", severity="warning",
            fails_when=f"not {is_blank('rows.booking_source')} and "
            + is_unknown("rows.booking_source", "bot", "manual"),
            en="booking_source, where set, is bot or manual.", ru="booking_source, если задан, равен bot или manual.",
        ),
        expect_rows(
            "sessions.booking_status_known", section="3", severity="warning",
            fails_when=f"not {is_blank('rows.booking_status')} and "
            + is_unknown("rows.booking_status", "confirmed", "cancelled"),
            en="booking_status, where set, is confirmed or cancelled.",
            ru="booking_status, если задан, равен confirmed или cancelled.",
        ),
        expect_rows(
            "sessions.booking_currency_readable", section="3", severity="warning",
            fails_when=f"not {is_blank('rows.booking_currency')} and left(rows.booking_currency, 9) !~ '^[A-Z]{{3}}$'",
            en="booking_currency, where set, is an ISO 4217 code such as RUB.",
            ru="booking_currency, если задана, — код ISO 4217, например RUB.",
        ),
        expect_rows(
            "sessions.booking_amount_not_negative", section="3", severity="warning",
            fails_when="rows.booking_amount < 0 or rows.booking_amount in ('NaN', 'Infinity')",
            en="booking_amount, where set, is a price: a number from 0 up.",
            ru="booking_amount, если задана, — цена: число не меньше 0.",
        ),
    ]  # fmt: skip
