"""The data standard of the toy system: a rule about shapes and one about rows for each table."""

from __future__ import annotations

import great_expectations as gx

from expectations.inspections import Inspection, Lookup, Standard
from expectations.rules import expect_rows, expect_shape


def build_brands() -> gx.ExpectationSuite:
    """Return the suite of brands."""
    return gx.ExpectationSuite(name="brands", expectations=expect_shape("toy.brands", section="1"))


def build_orders() -> gx.ExpectationSuite:
    """Return the suite of orders."""
    return gx.ExpectationSuite(
        name="orders",
        expectations=[
            *expect_shape("toy.orders", section="2"),
            expect_rows(
                "toy.orders.price_not_negative", section="2", fails_when="rows.price < 0", action="set_aside",
                en="An order costs nothing or something.", ru="Цена заказа не меньше нуля.",
            ),
        ],
    )  # fmt: skip


def build_events() -> gx.ExpectationSuite:
    """Return the suite of events."""
    return gx.ExpectationSuite(
        name="events",
        expectations=[
            *expect_shape("toy.events", section="3"),
            expect_rows(
                "toy.events.order_of_the_brand", section="3", fails_when="ordered.brand_id <> rows.brand_id",
                en="An event is of an order of the same brand.", ru="Событие относится к заказу того же бренда.",
            ),
        ],
    )  # fmt: skip


STANDARD = Standard(
    suites=(build_brands, build_orders, build_events),
    inspections=(
        Inspection(table="brands", key="rows.id", label="rows.id", tenant="md5(rows.id)::uuid"),
        Inspection(table="orders", key="rows.id", label="rows.id", tenant="md5(rows.brand_id)::uuid"),
        Inspection(
            table="events", key="rows.id", label="rows.id", tenant="md5(rows.brand_id)::uuid",
            lookups=(Lookup(alias="ordered", table="orders", key="id", on='rows."order"'),),
        ),
    ),
    problems={},
)  # fmt: skip
