"""Section 5 of the standard and its checklist: `wishlist_v2`, the waiting list."""

from __future__ import annotations

import great_expectations as gx

from expectations.conditions import is_blank, is_late, is_no_date, is_not_a, is_object, is_set, is_unknown
from expectations.rules import StandardExpectation, expect_rows, expect_shape, expect_short_texts
from systems.agent_p.standard.references import expect_client, expect_tenant

TABLE = "wishlist_v2"
PROCESSED = "rows.status in ('converted', 'cancelled')"


def build_suite() -> gx.ExpectationSuite:
    """Return the suite; needs no context and no database."""
    return gx.ExpectationSuite(
        name=TABLE,
        expectations=[
            *expect_shape("wishes", section="5, 8"),
            *expect_tenant("wishes", section="5", implies=("wishes.client_same_tenant",)),
            *expect_client("wishes", section="5"),
            *expect_processing(),
            *expect_slot(),
            expect_short_texts("wishes", item_type=100, item_id=200, source=100, comment=1_000_000),
        ],
    )


def expect_processing() -> list[StandardExpectation]:
    """A wish starts `pending` and says when and how it was dealt with."""
    return [
        expect_rows(
            "wishes.status_present", section="5, 7", problem="wish_without_status", fails_when="rows.status is null",
            en="status is filled; `agentp migrate` adds the column with pending.",
            ru="status заполнен; колонку со значением pending добавляет `agentp migrate`.",
        ),
        expect_rows(
            "wishes.status_known", section="5",
            fails_when=is_unknown("rows.status", "pending", "converted", "cancelled"),
            en="status is pending, converted or cancelled.", ru="status равен pending, converted или cancelled.",
        ),
        expect_rows(
            "wishes.starts_pending", section="7", severity="warning",
            fails_when=f"{PROCESSED} and rows.processed_at <= rows.created_at",
            en="A wish starts as pending: it is converted or cancelled later than it was made.",
            ru="Желание начинается как pending: его обрабатывают позже, чем создают.",
        ),
        expect_rows(
            "wishes.processed_at_filled", section="5, 7", problem="wish_without_processed_at",
            fails_when=f"shape.lacks_processed_at or {PROCESSED} and rows.processed_at is null",
            en="processed_at is filled when a wish is converted or cancelled; `agentp migrate` adds the column.",
            ru="processed_at заполнен у converted и cancelled; колонку добавляет `agentp migrate`.",
        ),
        expect_rows(
            "wishes.processed_at_empty_while_pending", section="7", severity="warning",
            fails_when="rows.status = 'pending' and rows.processed_at is not null",
            en="processed_at is empty while a wish is pending.", ru="processed_at пуст, пока желание pending.",
        ),
        expect_rows(
            "wishes.amount_filled", section="5, 7", severity="warning",
            fails_when="rows.status = 'converted' and rows.amount is null",
            en="amount is filled when a wish is converted.", ru="amount заполнена у converted.",
        ),
        expect_rows(
            "wishes.amount_not_negative", section="5", severity="warning",
            fails_when="rows.amount < 0 or rows.amount in ('NaN', 'Infinity')",
            en="amount, where set, is a number from 0 up.", ru="amount, если задана, — число не меньше 0.",
        ),
        expect_rows(
            "wishes.created_at_present", section="5",
            fails_when="rows.created_at is null or rows.updated_at is null",
            en="created_at and updated_at are filled.", ru="created_at и updated_at заполнены.",
        ),
        expect_rows(
            "wishes.not_in_future", section="B3", is_rechecked=True,
            fails_when=" or ".join(is_late(f"rows.{name}") for name in ("created_at", "updated_at", "processed_at")),
            en="created_at, updated_at and processed_at are not in the future.",
            ru="created_at, updated_at и processed_at не в будущем.",
        ),
    ]  # fmt: skip


def expect_slot() -> list[StandardExpectation]:
    """A wish says what is wished for, and which slot would do."""
    date = "(rows.meta ->> 'date')"
    texts = ("service_title", "staff_id", "staff_name", "client_name", "client_phone")
    return [
        expect_rows(
            "wishes.item_present", section="5",
            fails_when=f"{is_blank('rows.item_type')} or {is_blank('rows.item_id')}",
            en="item_type and item_id are filled, such as slot_waiting and service_25601439.",
            ru="item_type и item_id заполнены, например slot_waiting и service_25601439.",
        ),
        expect_rows(
            "wishes.meta_is_object", section="5", fails_when=f"not {is_object('rows.meta')}",
            implies=("wishes.slot_described",),
            en="meta is filled and a JSON object.", ru="meta заполнена и является JSON-объектом.",
        ),
        expect_rows(
            "wishes.slot_described", section="5, 7", severity="warning",
            fails_when=f"{is_not_a('rows.meta', 'date', 'string')} or {is_not_a('rows.meta', 'service_id', 'string')}",
            en="meta says which slot is wished for: date and service_id, both strings.",
            ru="meta описывает желаемый слот: date и service_id, обе — строки.",
        ),
        expect_rows(
            "wishes.date_readable", section="5", severity="warning",
            fails_when=f"jsonb_typeof(rows.meta -> 'date') = 'string' and {is_no_date(date)}",
            en="meta.date is a calendar day such as 2025-01-15.",
            ru="meta.date — календарный день, например 2025-01-15.",
        ),
        expect_rows(
            "wishes.time_preference_known", section="5", severity="warning",
            fails_when=f"{is_set('rows.meta', 'time_preference')} and ("
            "jsonb_typeof(rows.meta -> 'time_preference') <> 'string' or "
            + is_unknown("rows.meta ->> 'time_preference'", "morning", "afternoon", "evening") + ")",
            en="meta.time_preference, where set, is morning, afternoon or evening.",
            ru="meta.time_preference, если задано, равно morning, afternoon или evening.",
        ),
        expect_rows(
            "wishes.texts_are_text", section="5", severity="warning",
            fails_when=" or ".join(
                f"{is_set('rows.meta', name)} and jsonb_typeof(rows.meta -> '{name}') <> 'string'" for name in texts
            ),
            en=f"meta.{', '.join(texts)}, where set, are strings.",
            ru=f"meta.{', '.join(texts)}, если заданы, — строки.",
        ),
    ]  # fmt: skip
