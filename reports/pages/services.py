"""Services and staff over the last year."""

from __future__ import annotations

from reports.blocks import Page
from reports.frames.services import sum_visits
from reports.pages.context import Context, make_section, make_table
from reports.tables import Column

FIGURES = (
    Column(name="bookings_count", kind="integer"), Column(name="arrived_count", kind="integer"),
    Column(name="presumed_count", kind="integer"),
    Column(name="no_show_count", kind="integer"), Column(name="missed_share", kind="percent"),
    Column(name="cancelled_count", kind="integer"), Column(name="upcoming_count", kind="integer"),
    Column(name="arrived_amount", kind="money", currency="currency"),
)  # fmt: skip


def build_services(context: Context) -> Page:
    """Return the page."""
    derive = context.frames.derive
    services = make_table(
        "services", derive(sum_visits, "visits_monthly", by="service", last_day=context.last_day),
        Column(name="service_title"), *FIGURES, is_searchable=True,
    )  # fmt: skip
    staff = make_table(
        "staff", derive(sum_visits, "visits_monthly", by="staff", last_day=context.last_day),
        Column(name="staff_name"), *FIGURES, is_searchable=True,
    )  # fmt: skip
    return Page(
        name="services", title=context.texts.get("page.services.title"), lead=context.texts.get("page.services.lead"),
        sections=(
            make_section(context, "services.services", services), make_section(context, "services.staff", staff),
        ),
    )  # fmt: skip
