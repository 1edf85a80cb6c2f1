"""What to do next: whom to win back, which bookings to remind of, what fits, what stayed unanswered."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from reports.blocks import Action, Actions, Line
from reports.cells import is_missing
from reports.frames.columns import list_records
from reports.frames.funnel import find_biggest_drop, sum_funnel
from reports.frames.people import (
    ExpectedLoss,
    choose_near,
    count_unanswered,
    expect_loss,
    list_slots,
    list_win_back,
)  # fmt: skip
from reports.pages.context import Context

CHOSEN_DAYS = 30
NEXT_DAYS = 7
NAMED = 3
"""How many of the most urgent rows an action names."""


def build_actions(context: Context) -> Actions:
    """Return what the salon can do today, each with the figure that it hangs on."""
    frames, texts, formats, veil = context.frames, context.texts, context.formats, context.veil
    actions = []
    win_back = frames.derive(list_win_back, "win_back", veil=veil, language=context.language)
    if len(win_back):
        regular = win_back[win_back["segment"] == "regular"]
        lines = [
            _write_line(context, row, f"{context.name_client(row['client_name'])}: {row['reason']}")
            for row in list_records(regular.head(NAMED))
        ]
        actions.append(_make_action(context, "win_back", len(win_back), "win-back", lines))
    ahead = frames.derive(expect_loss, "risky_slots", last_day=context.last_day, days=NEXT_DAYS)
    if ahead.slots:
        near = frames.derive(choose_near, "risky_slots", last_day=context.last_day, days=NEXT_DAYS)
        slots = list_slots(near, frames["waitlist_matches"], veil, language=context.language)
        lines = [
            _write_line(
                context,
                row,
                f"{formats.write_moment(row['visit_at'])}, {context.name_client(row['client_name'])}: "
                f"{formats.write_percent(row['risk_score'])} ({row['reason']})",
            )
            for row in list_records(slots.head(NAMED))
        ]
        actions.append(
            Action(
                number="", title=_write_loss(context, ahead), link="waitlist", lines=tuple(lines),
                detail=texts.get("action.risk.detail"),
            )
        )  # fmt: skip
    matching = len(set(frames["waitlist_matches"]["wish_id"])) if len(frames["waitlist_matches"]) else 0
    for name, count in (("offers", len(frames["slot_offers"])), ("matches", matching)):
        if count:
            actions.append(_make_action(context, name, count, "waitlist", []))
    unanswered = frames.derive(count_unanswered, "sessions", last_day=context.last_day, days=NEXT_DAYS)
    if unanswered:
        actions.append(_make_action(context, "unanswered", unanswered, "sessions", []))
    drop = find_biggest_drop(frames.derive(sum_funnel, "funnel_daily", last_day=context.last_day, days=CHOSEN_DAYS))
    if drop:
        title = texts.get(
            "action.drop.title", step=texts.get(f"funnel.before.{drop.step}"), n=formats.write_number(drop.count),
            whole=formats.write_number(drop.whole),
        )  # fmt: skip
        title = title[0].upper() + title[1:]
        actions.append(Action(number="", title=title, detail=texts.get("action.drop.detail"), link="funnel"))
    return Actions(actions=tuple(actions), empty=texts.get("overview.no_action"))


def _write_line(context: Context, row: dict[str, Any], text: str) -> Line:
    """A row as a line with the phone, where the reader may see it."""
    phone = row.get("phone")
    shown = "" if is_missing(phone) or not phone else context.formats.write_phone(phone)
    return Line(text=text, phone=shown, href=context.formats.link_phone(phone))


def _write_loss(context: Context, ahead: ExpectedLoss) -> str:
    """How many of the bookings may fall through, in whole bookings, and what is at risk."""
    texts, formats = context.texts, context.formats
    count = int(ahead.expected.quantize(Decimal(1), ROUND_HALF_UP))
    shown = texts.find(f"action.risk.count.{count}", formats.write_number(count))
    values = {
        "of": texts.count("action.risk.of", ahead.slots, formats.write_number(ahead.slots)),
        "fall": texts.count("action.risk.fall", count, shown) if count else texts.get("action.risk.none"),
        "value": ", ".join(formats.write_money(amount, currency) for currency, amount in ahead.values.items()),
    }
    return texts.get("action.risk.title" if values["value"] else "action.risk.unpriced", **values)


def _make_action(context: Context, name: str, count: int, link: str, lines: list[Line]) -> Action:
    shown = context.formats.write_number(count)
    return Action(
        number=shown, title=context.texts.count(f"action.{name}.title", count, shown),
        detail=context.texts.get(f"action.{name}.detail"), link=link, lines=tuple(lines),
    )  # fmt: skip
