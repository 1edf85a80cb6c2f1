"""The overview: what to do next, figures beside the period before, the lines of the days."""

from __future__ import annotations

from typing import Any

from reports.blocks import Card, Cards, Note, Page, Period
from reports.cells import is_missing
from reports.formats import NO_CURRENCY, is_unknown
from reports.frames.columns import list_records
from reports.frames.comparisons import FEWEST, compare_periods
from reports.frames.daily import choose_days, sum_revenue
from reports.pages.actions import CHOSEN_DAYS, build_actions
from reports.pages.context import Context, make_chart, make_section, make_table, to_instant, to_number
from reports.tables import Column, write_currency

SHOWN = (
    "dialogs", "bookings", "bot_bookings", "conversion", "kept_amount", "earned_amount", "avg_ticket",
    "unique_clients", "new_clients", "avg_response_ms", "arrival_rate", "no_show_rate", "cancellation_rate",
)  # fmt: skip
"""Measures of `kpis` that have a card, in their order."""


def build_overview(context: Context) -> Page:
    """Return the page."""
    sections = [make_section(context, "overview.next", build_actions(context))]
    sections.append(make_section(context, "overview.figures", _build_cards(context)))
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
    has_currencies = len({currency for currency in kpis["currency"].tolist() if currency not in ("", NO_CURRENCY)}) > 1
    for days in sorted(set(kpis["period_days"])):
        rows = list_records(kpis[kpis["period_days"] == days])
        rows = sorted((row for row in rows if row["measure"] in SHOWN), key=lambda row: SHOWN.index(row["measure"]))
        first = rows[0]
        cards = [_build_card(context, row, names_currency=has_currencies) for row in rows if not _is_unpriced(row)]
        unpriced = [row for row in rows if _is_unpriced(row)]
        periods.append(
            Period(
                days=int(days), title=context.texts.get("kpi.period", days=days),
                subtitle=context.texts.get(
                    "kpi.subtitle",
                    period=context.formats.write_period(first["period_start"], first["period_end"]),
                    previous=context.formats.write_period(first["previous_start"], first["previous_end"]),
                ),
                cards=(*cards, *([_build_unpriced(context, unpriced)] if unpriced else [])),
            )
        )  # fmt: skip
    return Cards(periods=tuple(periods), chosen=CHOSEN_DAYS)


def _is_unpriced(row: dict[str, Any]) -> bool:
    return bool(row["currency"] == NO_CURRENCY)


def _build_unpriced(context: Context, rows: list[dict[str, Any]]) -> Card:
    """One card of all amounts without a currency: they are no money that could be compared."""
    texts = context.texts
    first, *others = rows
    details = [
        ": ".join((texts.get(f"kpi.{row['measure']}.title"), _write_value(context, row)))
        for row in others
        if not is_missing(row["value"]) and not is_unknown(row["value"], NO_CURRENCY)
    ]
    return Card(
        title=texts.get("kpi.unpriced.title"), value=_write_value(context, first), detail="; ".join(details), change="",
        tone="even", definition=texts.get("kpi.unpriced.definition"),
    )  # fmt: skip


def _build_card(context: Context, row: dict[str, Any], *, names_currency: bool) -> Card:
    texts, measure = context.texts, row["measure"]
    title = texts.get(f"kpi.{measure}.title")
    if row["currency"] and names_currency:
        title = f"{title}, {write_currency(row['currency'], texts)}"
    return Card(
        title=title,
        value=_write_value(context, row),
        detail=_write_detail(context, row),
        change=_write_change(context, row),
        tone=row["tone"],
        definition=_define(context, row),
    )


def _write_value(context: Context, row: dict[str, Any]) -> str:
    if not row["is_enough"]:
        return context.texts.get("kpi.too_few")
    if row["kind"] == "rate" and row["whole_count"] and is_missing(row["value"]):
        return context.texts.get("kpi.not_recorded")
    return write_figure(context, row, row["value"])


def write_figure(context: Context, row: dict[str, Any], value: Any) -> str:
    """Return a figure of `kpis` as its measure is written."""
    if row["currency"]:
        is_known = not is_unknown(value, row["currency"])
        return context.formats.write_money(value, row["currency"]) if is_known else context.texts.get("amount.unknown")
    if row["unit"] == "share":
        return context.formats.write_percent(value)
    if row["unit"] == "milliseconds":
        return context.formats.write_duration(value)
    return context.formats.write_number(value)


def _write_detail(context: Context, row: dict[str, Any]) -> str:
    """n, and for rates what of it."""
    if row["kind"] == "rate":
        counted = context.texts.get(
            "kpi.part", part=context.formats.write_number(row["part_count"] or 0),
            whole=context.formats.write_number(row["whole_count"] or 0),
        )  # fmt: skip
        if not is_missing(row["presumed_count"]) and row["presumed_count"] and row["measure"] != "cancellation_rate":
            counted += "; " + context.texts.get("kpi.presumed", n=context.formats.write_number(row["presumed_count"]))
        return counted
    if not is_missing(row["whole_count"]):
        return context.texts.get("kpi.n", n=context.formats.write_number(row["whole_count"]))
    return ""


def _define(context: Context, row: dict[str, Any]) -> str:
    """How a figure is counted, and how exactly a share is known."""
    texts, formats = context.texts, context.formats
    definition = texts.get(f"kpi.{row['measure']}.definition", fewest=FEWEST)
    if row["kind"] != "rate" or is_missing(row["value_low"]) or not row["is_enough"]:
        return definition
    low, high = (formats.write_percent(row[name]) for name in ("value_low", "value_high"))
    whole = formats.write_number(row["whole_count"])
    return f"{definition} {texts.get('kpi.interval', whole=whole, low=low, high=high)}"


def _write_change(context: Context, row: dict[str, Any]) -> str:
    texts, formats = context.texts, context.formats
    if not row["is_comparable"]:
        return texts.get("kpi.no_previous")
    if not row["is_enough"]:
        return ""  # of which the figure itself tells
    if row["kind"] == "rate" and is_missing(row["value"]):
        return ""
    if is_missing(row["previous_value"]) or row["change"] is None:
        return texts.get("kpi.too_few_before") if row["kind"] == "rate" else ""
    before = write_figure(context, row, row["previous_value"])
    if row["kind"] == "rate":
        if not row["change"]:
            return texts.get("kpi.same")
        certain = "kpi.higher" if row["change"] > 0 else "kpi.lower"
        return texts.get(certain if row["is_certain"] else "kpi.by_chance", before=before)
    if row["change_share"] is None:
        return texts.get("kpi.before", before=before)
    arrow = "▲ " if row["change"] > 0 else ("▼ " if row["change"] < 0 else "")
    share = arrow + formats.write_percent(abs(row["change_share"]))
    return texts.get("kpi.change", change=share, before=before)


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
