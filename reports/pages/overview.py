"""The overview: figures beside the period before, what to do next, the lines of the days."""

from __future__ import annotations

from typing import Any

from reports.blocks import Action, Actions, Card, Cards, Note, Page, Period
from reports.cells import is_missing
from reports.formats import NOTHING, is_unknown
from reports.frames.columns import list_records
from reports.frames.comparisons import FEWEST, RATES, compare_periods
from reports.frames.daily import choose_days, sum_revenue
from reports.frames.funnel import find_biggest_drop, sum_funnel
from reports.frames.people import choose_near, count_unanswered, expect_loss, list_slots, list_win_back
from reports.pages.context import Context, make_chart, make_section, make_table, to_instant, to_number
from reports.tables import Column, write_currency

SHOWN = (
    "dialogs", "bookings", "bot_bookings", "conversion", "kept_amount", "earned_amount", "avg_ticket",
    "unique_clients", "new_clients", "avg_response_ms", "arrival_rate", "no_show_rate", "cancellation_rate",
)  # fmt: skip
"""Measures of `kpis` that have a card, in their order."""
CHOSEN_DAYS = 30
NEXT_DAYS = 7
NAMED = 3
"""How many of the most urgent rows an action names."""


def build_overview(context: Context) -> Page:
    """Return the page."""
    sections = [make_section(context, "overview.figures", _build_cards(context))]
    sections.append(make_section(context, "overview.next", _build_actions(context)))
    sections.append(_build_days(context))
    return Page(
        name="index", title=context.texts.get("page.index.title"), lead=context.texts.get("page.index.lead"),
        sections=tuple(sections),
    )  # fmt: skip


def _build_cards(context: Context) -> Any:
    kpis = context.frames.derive(compare_periods, "kpis")
    if kpis.empty:
        return Note(text=context.texts.get("overview.nothing"))
    periods = []
    for days in sorted(set(kpis["period_days"])):
        rows = list_records(kpis[kpis["period_days"] == days])
        rows = sorted((row for row in rows if row["measure"] in SHOWN), key=lambda row: SHOWN.index(row["measure"]))
        first = rows[0]
        periods.append(
            Period(
                days=int(days), title=context.texts.get("kpi.period", days=days),
                subtitle=context.texts.get(
                    "kpi.subtitle",
                    period=context.formats.write_period(first["period_start"], first["period_end"]),
                    previous=context.formats.write_period(first["previous_start"], first["previous_end"]),
                ),
                cards=tuple(_build_card(context, row) for row in rows),
            )
        )  # fmt: skip
    return Cards(periods=tuple(periods), chosen=CHOSEN_DAYS)


def _build_card(context: Context, row: dict[str, Any]) -> Card:
    texts, measure = context.texts, row["measure"]
    title = texts.get(f"kpi.{measure}.title")
    if row["currency"]:
        title = f"{title}, {write_currency(row['currency'], texts)}"
    return Card(
        title=title,
        value=_write_value(context, row),
        detail=_write_detail(context, row),
        change=_write_change(context, row),
        tone=row["tone"],
        definition=texts.get(f"kpi.{measure}.definition", fewest=FEWEST),
    )


def _write_value(context: Context, row: dict[str, Any]) -> str:
    if not row["is_enough"]:
        return context.texts.get("kpi.too_few")
    if row["measure"] in RATES and row["whole_count"] and is_missing(row["value"]):
        return context.texts.get("kpi.not_recorded")
    return write_figure(context, row, row["value"])


def write_figure(context: Context, row: dict[str, Any], value: Any) -> str:
    """Return a figure of `kpis` as its measure is written."""
    if row["currency"]:
        is_known = not is_unknown(value, row["currency"])
        return context.formats.write_money(value, row["currency"]) if is_known else context.texts.get("amount.unknown")
    if row["measure"] in RATES:
        return context.formats.write_percent(value, 1)
    if row["measure"] == "avg_response_ms":
        return context.formats.write_duration(value)
    return context.formats.write_number(value)


def _write_detail(context: Context, row: dict[str, Any]) -> str:
    """n, and for rates what of it, and within which limits the share lies with 95 %."""
    if row["measure"] in RATES:
        counted = context.texts.get(
            "kpi.part", part=context.formats.write_number(row["part_count"] or 0),
            whole=context.formats.write_number(row["whole_count"] or 0),
        )  # fmt: skip
        if not is_missing(row["presumed_count"]) and row["presumed_count"] and row["measure"] != "cancellation_rate":
            counted += "; " + context.texts.get("kpi.presumed", n=context.formats.write_number(row["presumed_count"]))
        if is_missing(row["value_low"]) or not row["is_enough"]:
            return counted
        low, high = (context.formats.write_percent(row[name]) for name in ("value_low", "value_high"))
        return counted + "; " + context.texts.get("kpi.interval", low=low, high=high)
    if not is_missing(row["whole_count"]):
        return context.texts.get("kpi.n", n=context.formats.write_number(row["whole_count"]))
    return ""


def _write_change(context: Context, row: dict[str, Any]) -> str:
    texts, formats = context.texts, context.formats
    if not row["is_comparable"]:
        return texts.get("kpi.no_previous")
    if not row["is_enough"]:
        return ""  # of which the figure itself tells
    if row["measure"] in RATES and is_missing(row["value"]):
        return ""
    if is_missing(row["previous_value"]) or row["change"] is None:
        return texts.get("kpi.too_few_before") if row["measure"] in RATES else ""
    before = write_figure(context, row, row["previous_value"])
    if row["measure"] in RATES:
        points = texts.get("kpi.points", points=formats.write_points(row["change"]))
        key = "kpi.change" if row["is_certain"] else "kpi.by_chance"
        return texts.get(key, change=points, before=before)
    if row["change_share"] is None:
        return texts.get("kpi.before", before=before)
    arrow = "▲ " if row["change"] > 0 else ("▼ " if row["change"] < 0 else "")
    share = arrow + formats.write_percent(abs(row["change_share"]))
    return texts.get("kpi.change", change=share, before=before)


def _build_actions(context: Context) -> Actions:
    frames, texts, formats, veil = context.frames, context.texts, context.formats, context.veil
    actions = []
    win_back = frames.derive(list_win_back, "win_back", veil=veil, language=context.language)
    if len(win_back):
        regular = win_back[win_back["segment"] == "regular"]
        lines = [f"{row['client_name']}: {row['reason']}" for row in list_records(regular.head(NAMED))]
        actions.append(_make_action(context, "win_back", len(win_back), "win-back", lines))
    ahead = frames.derive(expect_loss, "risky_slots", last_day=context.last_day, days=NEXT_DAYS)
    if ahead.slots:
        near = frames.derive(choose_near, "risky_slots", last_day=context.last_day, days=NEXT_DAYS)
        slots = list_slots(near, frames["waitlist_matches"], veil, language=context.language)
        lines = [
            f"{formats.write_moment(row['visit_at'])}, {row['client_name']}: "
            f"{formats.write_percent(row['risk_score'])} ({row['reason']})"
            for row in list_records(slots.head(NAMED))
        ]
        value = ", ".join(
            formats.write_money(amount.to_integral_value(), currency) for currency, amount in ahead.values.items()
        )
        actions.append(
            Action(
                number=formats.write_number(ahead.expected, 1),
                title=texts.get("action.risk.title"), link="waitlist", lines=tuple(lines),
                detail=texts.count(
                    "action.risk.detail", ahead.slots, formats.write_number(ahead.slots), value=value or NOTHING
                ),
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
        step, count = drop
        actions.append(_make_action(context, "drop", count, "funnel", [], step=texts.get(f"funnel.before.{step}")))
    return Actions(actions=tuple(actions), empty=texts.get("overview.no_action"))


def _make_action(context: Context, name: str, count: int, link: str, lines: list[str], **values: object) -> Action:
    shown = context.formats.write_number(count)
    return Action(
        number=shown, title=context.texts.count(f"action.{name}.title", count, shown),
        detail=context.texts.get(f"action.{name}.detail", **values), link=link, lines=tuple(lines),
    )  # fmt: skip


def _build_days(context: Context) -> Any:
    formats = context.formats
    days = context.frames.derive(choose_days, "metrics_dailies", last_day=context.last_day)
    revenue = context.frames.derive(sum_revenue, "revenue_daily", last_day=context.last_day)
    rows = list_records(days)
    sessions = [
        {
            "day": to_instant(row["day"]), "sessions": row["dialogs_started"], "bookings": row["new_bookings"],
            "day_text": formats.write_day(row["day"]), "sessions_text": formats.write_number(row["dialogs_started"]),
            "bookings_text": formats.write_number(row["new_bookings"]),
        }
        for row in rows
    ]  # fmt: skip
    response = [
        {
            "day": to_instant(row["day"]), "median": _seconds(row["median_response_ms"]),
            "p90": _seconds(row["p90_response_ms"]), "day_text": formats.write_day(row["day"]),
            "median_text": formats.write_duration(row["median_response_ms"]),
            "p90_text": formats.write_duration(row["p90_response_ms"]),
        }
        for row in rows
    ]  # fmt: skip
    amounts = [
        {
            "day": to_instant(row["day"]), "amount": to_number(row["kept_amount"]),
            "currency": write_currency(row["currency"], context.texts),
            "day_text": formats.write_day(row["day"]),
            "amount_text": formats.write_money(row["kept_amount"], row["currency"]),
        }
        for row in list_records(revenue)
        if not is_missing(row["kept_amount"])
    ]  # fmt: skip
    latest = days.iloc[::-1].reset_index(drop=True)
    table = make_table(
        "days", latest, Column(name="day", kind="day"), Column(name="dialogs_started", kind="integer"),
        Column(name="new_bookings", kind="integer"), Column(name="moves", kind="integer"),
        Column(name="cancellations", kind="integer"), Column(name="unique_persons", kind="integer"),
        Column(name="new_persons", kind="integer"),
        Column(name="median_response_ms", kind="duration"), Column(name="messages", kind="integer"),
    )  # fmt: skip
    money = make_table(
        "revenue", revenue.iloc[::-1].reset_index(drop=True), Column(name="day", kind="day"),
        Column(name="currency", kind="currency"), Column(name="booked_count", kind="integer"),
        Column(name="booked_amount", kind="money", currency="currency", unknown="amount.unknown"),
        Column(name="kept_bookings", kind="integer"),
        Column(name="kept_amount", kind="money", currency="currency", unknown="amount.unknown"),
        Column(name="cancelled_bookings", kind="integer"),
        Column(name="cancelled_amount", kind="money", currency="currency", unknown="amount.unknown"),
        Column(name="unknown_count", kind="integer"),
        Column(name="earned_amount", kind="money", currency="currency", unknown="amount.unknown"),
        Column(name="earned_recorded_amount", kind="money", currency="currency", unknown="amount.unknown"),
    )  # fmt: skip
    total = formats.write_number(sum(days["dialogs_started"])), formats.write_number(sum(days["new_bookings"]))
    return make_section(
        context, "overview.days",
        make_chart(context, "sessions", sessions, table=table, sessions=total[0], bookings=total[1]),
        make_chart(context, "revenue", amounts, table=money) if amounts else None,
        make_chart(context, "response", response),
    )  # fmt: skip


def _seconds(milliseconds: Any) -> float | None:
    return None if is_missing(milliseconds) else round(float(milliseconds) / 1000, 1)
