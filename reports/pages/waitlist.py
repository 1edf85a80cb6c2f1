"""The waitlist beside the slots at risk (seed 02, feature 1), and what fits."""

from __future__ import annotations

import pandas as pd

from reports.blocks import Page, Split
from reports.frames.columns import add_columns, list_records
from reports.frames.people import list_matches, list_offers, list_slots, list_wishes
from reports.pages.context import Context, make_section, make_table
from reports.tables import Column


def build_waitlist(context: Context) -> Page:
    """Return the page."""
    frames, veil = context.frames, context.veil
    wishes = make_table(
        "wishes", _write_wishes(context, frames.derive(list_wishes, "waitlist", "waitlist_matches", veil=veil)),
        Column(name="client_name", kind="name"), Column(name="phone", kind="phone"),
        Column(name="wish", is_in_files=False),
        Column(name="waiting_since", kind="day"), Column(name="fitting_count", kind="integer"),
        Column(name="is_expired", kind="boolean", on_page=False), Column(name="service", on_page=False),
        Column(name="wished_day", kind="day", on_page=False), Column(name="time_preference", on_page=False),
        Column(name="staff", on_page=False),
        is_searchable=True, has_cards=True, empty="waitlist.no_wishes",
    )  # fmt: skip
    risky = frames.derive(list_slots, "risky_slots", "waitlist_matches", veil=veil, language=context.language)
    slots = make_table(
        "risky-slots", _write_slots(context, risky),
        Column(name="client_name", kind="name"), Column(name="phone", kind="phone"),
        Column(name="slot", is_in_files=False),
        Column(name="risk_score", kind="percent"), Column(name="reason", kind="reason"),
        Column(name="waiting_count", kind="integer"),
        *(Column(name=name, on_page=False) for name in ("service", "staff")),
        Column(name="visit_at", kind="moment", on_page=False),
        Column(name="value_at_risk_amount", kind="money", currency="booking_currency", on_page=False),
        is_searchable=True, has_cards=True, empty="waitlist.no_slots",
    )  # fmt: skip
    fitting = make_table(
        "matches", frames.derive(list_matches, "waitlist_matches", veil=veil),
        Column(name="place", kind="integer"), Column(name="waiting_client_name", kind="name"),
        Column(name="waiting_phone", kind="phone"), Column(name="service"), Column(name="visit_at", kind="moment"),
        Column(name="staff"), Column(name="is_wished_staff", kind="boolean"),
        Column(name="booked_client_name", kind="name"), Column(name="risk_score", kind="percent"),
        has_cards=True, empty="waitlist.no_matches",
    )  # fmt: skip
    offers = make_table(
        "offers", frames.derive(list_offers, "slot_offers", veil=veil),
        Column(name="client_name", kind="name"), Column(name="service"), Column(name="visit_at", kind="moment"),
        Column(name="slot_amount", kind="money", currency="slot_currency"),
        Column(name="waiting_since", kind="moment"), has_cards=True, empty="waitlist.no_offers",
    )  # fmt: skip
    recovery = make_table(
        "recovery", frames["slot_recovery"],
        Column(name="currency", kind="currency"), Column(name="freed_count", kind="integer"),
        Column(name="refilled_count", kind="integer"), Column(name="recovery_rate", kind="percent"),
        Column(name="recovery_rate_low", kind="percent", on_page=False),
        Column(name="recovery_rate_high", kind="percent", on_page=False),
        Column(name="lost_amount", kind="money", currency="currency"),
        Column(name="recovered_amount", kind="money", currency="currency"),
    )  # fmt: skip
    split = Split(
        sections=(make_section(context, "waitlist.wishes", wishes), make_section(context, "waitlist.slots", slots))
    )
    return Page(
        name="waitlist", title=context.texts.get("page.waitlist.title"), lead=context.texts.get("page.waitlist.lead"),
        sections=(
            make_section(context, "waitlist.beside", split),
            make_section(context, "waitlist.matches", fitting),
            make_section(context, "waitlist.offers", offers),
            make_section(context, "waitlist.recovery", recovery),
        ),
    )  # fmt: skip


def _write_wishes(context: Context, wishes: pd.DataFrame) -> pd.DataFrame:
    """Add for what somebody waits, as the sketch of seed 02 has it: a line, and what belongs to it below."""
    texts, formats = context.texts, context.formats
    rows = list_records(wishes)
    times = [texts.find(f"preference.{row['time_preference']}", row["time_preference"] or "") for row in rows]
    return add_columns(
        wishes,
        wish=[
            _join(
                row["service"],
                _list(formats.write_day(row["wished_day"]), time, row["staff"]),
                texts.get("waitlist.expired") if row["is_expired"] else "",
            )
            for row, time in zip(rows, times, strict=True)
        ],
    )


def _write_slots(context: Context, slots: pd.DataFrame) -> pd.DataFrame:
    """Add what is booked, likewise."""
    rows = list_records(slots)
    return add_columns(
        slots,
        slot=[
            _join(row["service"], _list(context.formats.write_moment(row["visit_at"]), row["staff"])) for row in rows
        ],
    )


def _list(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _join(*lines: str | None) -> str:
    return "\n".join(line for line in lines if line)
