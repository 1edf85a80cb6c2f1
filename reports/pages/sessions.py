"""Sessions: the list with search and filters; choosing one shows its dialog."""

from __future__ import annotations

from reports.blocks import Page
from reports.frames.people import list_sessions
from reports.pages.context import Context, make_section, make_table
from reports.tables import Column


def build_sessions(context: Context) -> Page:
    """Return the page."""
    frame = context.frames.derive(list_sessions, "sessions", veil=context.veil)
    table = make_table(
        "sessions", frame,
        Column(name="started_at", kind="moment"),
        Column(name="client_name", kind="name"),
        Column(name="channel", kind="word", words="channel", has_filter=True),
        Column(name="result", kind="word", words="result", has_filter=True),
        Column(name="intent", kind="word", words="intent", has_filter=True),
        Column(name="drop_off_stage", kind="word", words="stage", has_filter=True),
        Column(name="messages_count", kind="integer"),
        Column(name="first_response_ms", kind="duration"),
        Column(name="booking_at", kind="moment"),
        Column(name="booking_amount", kind="money", currency="booking_currency"),
        Column(name="summary", is_searched=True),
        Column(name="session_id", is_searched=True),
        Column(name="client_id", is_searched=True),
        is_searchable=True, is_long=True, opens="session_id", has_cards=True,
    )  # fmt: skip
    return Page(
        name="sessions", title=context.texts.get("page.sessions.title"), lead=context.texts.get("page.sessions.lead"),
        sections=(
            make_section(context, "sessions.list" if context.veil.shows_people else "sessions.hidden", table),
        ),
    )  # fmt: skip
