"""Services and staff over the last year."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import pandas as pd

from reports.blocks import Page
from reports.formats import NO_CURRENCY
from reports.frames.columns import add_columns
from reports.frames.services import sum_visits
from reports.pages.context import Context, make_section, make_table
from reports.tables import Column, write_currency

FIGURES = (
    Column(name="bookings_count", kind="integer"), Column(name="arrived_count", kind="integer"),
    Column(name="presumed_count", kind="integer"),
    Column(name="no_show_count", kind="integer"), Column(name="missed_share", kind="percent"),
    Column(name="cancelled_count", kind="integer"), Column(name="upcoming_count", kind="integer"),
    Column(name="arrived_amount", kind="money", currency="currency", unknown="amount.unknown"),
    Column(name="other_amounts"),
)  # fmt: skip


def build_services(context: Context) -> Page:
    """Return the page."""
    services = make_table(
        "services", _list_visits(context, "service"), Column(name="service_title"), *FIGURES, is_searchable=True
    )
    staff = make_table("staff", _list_visits(context, "staff"), Column(name="staff_name"), *FIGURES, is_searchable=True)
    return Page(
        name="services", title=context.texts.get("page.services.title"), lead=context.texts.get("page.services.lead"),
        sections=(
            make_section(context, "services.services", services), make_section(context, "services.staff", staff),
        ),
    )  # fmt: skip


def _list_visits(context: Context, by: Literal["service", "staff"]) -> pd.DataFrame:
    """The visits of each, with amounts in further currencies written where there are any."""
    visits = context.frames.derive(sum_visits, "visits_monthly", by=by, last_day=context.last_day)
    if not any(visits["others"].tolist()):
        return visits
    return add_columns(visits, other_amounts=[_write_others(context, others) for others in visits["others"].tolist()])


def _write_others(context: Context, others: tuple[tuple[Decimal, str], ...]) -> str:
    texts = []
    for amount, currency in others:
        text = context.formats.write_money(amount, currency)
        texts.append(f"{text} ({write_currency(currency, context.texts)})" if currency == NO_CURRENCY else text)
    return ", ".join(texts)
