"""Clients: whom to win back (seed 02, feature 2), and all of them with search (feature 3)."""

from __future__ import annotations

from reports.blocks import Page
from reports.frames.people import list_clients, list_win_back, name_favourites
from reports.pages.context import Context, make_section, make_table
from reports.tables import Column

WIN_BACK = (
    Column(name="client_name", kind="name"), Column(name="phone", kind="phone"), Column(name="reason", kind="reason"),
    Column(name="last_visit_at", kind="day"), Column(name="favourite_staff"),
    Column(name="value_at_risk_amount", kind="money", currency="value_currency"),
    Column(name="churn_risk_score", kind="percent"),
    Column(name="days_since_last_visit", kind="integer", on_page=False),
    Column(name="cycle_days", kind="integer", on_page=False),
    Column(name="churn_probability", kind="percent", on_page=False),
    Column(name="visits_count", kind="integer", on_page=False),
    Column(name="has_consent", kind="boolean", on_page=False),
)  # fmt: skip


def build_win_back(context: Context) -> Page:
    """Return the page of clients on their way out, those with a habit apart from those who came once."""
    frame = context.frames.derive(list_win_back, "win_back", veil=context.veil, language=context.language)
    frame = name_favourites(frame, context.frames["visits_monthly"])
    sections = [
        make_section(
            context, f"win_back.{segment}",
            make_table(
                f"win-back-{segment.replace('_', '-')}", frame[frame["segment"] == segment].reset_index(drop=True),
                *WIN_BACK, is_searchable=True, has_cards=True, empty="win_back.empty",
            ),
        )
        for segment in ("regular", "one_visit")
    ]  # fmt: skip
    return Page(
        name="win-back", title=context.texts.get("page.win-back.title"), lead=context.texts.get("page.win-back.lead"),
        sections=tuple(sections),
    )  # fmt: skip


def build_clients(context: Context) -> Page:
    """Return the page of all clients, a person each; a phone is found however it is written."""
    frame = context.frames.derive(
        list_clients, "persons", "visits_monthly", veil=context.veil, region=context.formats.region
    )
    table = make_table(
        "clients", frame,
        Column(name="client_name", kind="name"), Column(name="phone", kind="phone"),
        Column(name="favourite_staff"), Column(name="visits_count", kind="integer"),
        Column(name="last_visit_at", kind="day"), Column(name="next_booking_at", kind="moment"),
        Column(name="avg_visit_interval", kind="integer"),
        Column(name="spend_amount", kind="money", currency="spend_currency"),
        Column(name="lifecycle", kind="word", words="lifecycle", has_filter=True),
        Column(name="churn_risk_score", kind="percent"),
        Column(name="no_shows_count", kind="integer", on_page=False),
        Column(name="person_id", is_searched=True),
        Column(name="digits", is_searched=True, is_in_files=False),
        is_searchable=True, is_long=True, has_cards=True,
    )  # fmt: skip
    return Page(
        name="clients", title=context.texts.get("page.clients.title"), lead=context.texts.get("page.clients.lead"),
        sections=(make_section(context, "clients.list", table),),
    )  # fmt: skip
