"""The funnel with its drop-offs, and the hours of the week in which clients write."""

from __future__ import annotations

from reports.blocks import Note, Page, Section
from reports.frames.columns import list_records
from reports.frames.funnel import count_others, sum_funnel
from reports.frames.traffic import count_weeks, find_busiest, make_heat_map
from reports.pages.context import Context, make_chart, make_section, make_table, to_number
from reports.tables import Column

DAYS = 30


def build_funnel(context: Context) -> Page:
    """Return the page."""
    return Page(
        name="funnel", title=context.texts.get("page.funnel.title"), lead=context.texts.get("page.funnel.lead"),
        sections=(_build_steps(context), _build_hours(context)),
    )  # fmt: skip


def _build_steps(context: Context) -> Section:
    texts, formats = context.texts, context.formats
    steps = context.frames.derive(sum_funnel, "funnel_daily", last_day=context.last_day, days=DAYS)
    whole = list_records(steps[steps["channel"] == (steps["channel"].iloc[0] if len(steps) else "")])
    values = []
    for row in whole:
        label = formats.write_number(row["sessions"])
        if row["total_share"] is not None:
            label += f" · {formats.write_percent(row['total_share'])}"
        values.append({
            "step": texts.get(f"funnel.step.{row['step']}"), "sessions": row["sessions"], "label": label,
            "step_text": texts.get(f"funnel.step.{row['step']}"),
            "sessions_text": formats.write_number(row["sessions"]),
            "dropped_text": formats.write_number(row["dropped"]),
        })  # fmt: skip
    table = make_table(
        "funnel", steps, Column(name="channel", kind="word", words="channel"),
        Column(name="step", kind="word", words="funnel.step"), Column(name="sessions", kind="integer"),
        Column(name="dropped", kind="integer"), Column(name="inferred", kind="integer"),
        Column(name="step_share", kind="percent"), Column(name="total_share", kind="percent"),
    )  # fmt: skip
    counts = [formats.write_number(row["sessions"]) for row in whole] or ["0"]
    chart = make_chart(context, "funnel", values, first=counts[0], last=counts[-1])
    others = context.frames.derive(count_others, "funnel_daily", last_day=context.last_day, days=DAYS)
    beside = Note(text=texts.count("funnel.others", others, formats.write_number(others))) if others else None
    return make_section(context, "funnel.steps", chart, table, beside, days=DAYS)


def _build_hours(context: Context) -> Section:
    texts, formats = context.texts, context.formats
    heat_map = context.frames.derive(make_heat_map, "traffic_hourly", last_day=context.last_day)
    values = [
        {
            "hour": row["hour"], "weekday": formats.write_weekday(row["weekday"]),
            "per_week": to_number(row["per_week"]), "weekday_text": formats.write_weekday(row["weekday"]),
            "hour_text": f"{row['hour']:02}:00–{row['hour']:02}:59",
            "per_week_text": formats.write_number(row["per_week"], 1),
        }
        for row in list_records(heat_map)
    ]  # fmt: skip
    busiest = find_busiest(heat_map)
    said = texts.get("alternative.nobody") if busiest is None else texts.get(
        "alternative.busiest", weekday=formats.write_weekday(busiest[0]), hour=f"{busiest[1]:02}:00"
    )  # fmt: skip
    shown = heat_map.assign(weekday=[formats.write_weekday(number) for number in heat_map["weekday"].tolist()])
    table = make_table(
        "hours", shown, Column(name="weekday"), Column(name="hour", kind="integer"),
        Column(name="user_messages", kind="integer"), Column(name="sessions_started", kind="integer"),
        Column(name="per_week", kind="decimal"),
    )  # fmt: skip
    weeks = context.frames.derive(count_weeks, "traffic_hourly", last_day=context.last_day)
    chart = make_chart(context, "heat_map", values, table=table, busiest=said)
    return make_section(
        context, "funnel.hours", chart, weeks=texts.count("funnel.weeks", weeks, formats.write_number(weeks))
    )
