"""Charts by Altair: one specification a kind and language for the whole site; pages hand over nothing but values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from reports.formats import get_formats
from reports.texts import Texts, read_texts

ACCENT, SECOND, GOOD, BAD, QUIET = "#2f6fde", "#e08a1e", "#1f8a5b", "#c4453c", "#8a94a6"
"""Colours that keep apart in both themes and for the colour-blind (checked as pairs against both backgrounds)."""
COLOURS = [GOOD, ACCENT, SECOND, BAD, QUIET]
HEIGHT = 220
DAYS = {"ru": "%d.%m", "en": "%-d %b"}


def build_specifications(language: str) -> dict[str, dict[str, Any]]:
    """Return every chart's Vega-Lite specification; its data has the name ``values`` and comes from the page."""
    texts = read_texts(language)
    return {name: _finish(build(texts)) for name, build in CHARTS.items()}


def _finish(chart: Any) -> dict[str, Any]:
    specification: dict[str, Any] = chart.to_dict()
    # Altair names the empty frame that stands for the page's values; the page fills it under a name of ours.
    specification.pop("datasets", None)
    specification["data"] = {"name": "values"}
    specification.pop("config", None)
    return specification


def _values() -> pd.DataFrame:
    return pd.DataFrame()


def _day(texts: Texts) -> alt.X:
    return alt.X(
        "yearmonthdate(day):T",
        title=None,
        axis=alt.Axis(format=DAYS[texts.language], labelOverlap=True, tickCount=8, grid=False),
    )


def _hint(texts: Texts, *names: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}_text:N", title=texts.get(f"chart.{name}")) for name in names]


def build_sessions(texts: Texts) -> Any:
    """Sessions as an area, bookings as bars, a day each."""
    base = alt.Chart(_values(), height=HEIGHT, width="container").encode(
        x=_day(texts), tooltip=_hint(texts, "day", "sessions", "bookings")
    )
    area = base.mark_area(opacity=0.18, color=ACCENT, line={"color": ACCENT, "strokeWidth": 2}).encode(
        y=alt.Y("sessions:Q", title=texts.get("chart.count"), axis=alt.Axis(tickMinStep=1))
    )
    bars = base.mark_bar(color=SECOND, width={"band": 0.6}).encode(y=alt.Y("bookings:Q"))
    return alt.layer(area, bars)


def build_revenue(texts: Texts) -> Any:
    """Kept amounts as bars, a day and currency each; never stacked across currencies."""
    return alt.Chart(_values(), height=150, width="container").mark_bar(color=GOOD).encode(
        x=_day(texts),
        y=alt.Y("amount:Q", title=texts.get("chart.amount"), stack=None),
        color=alt.Color("currency:N", title=None, legend=alt.Legend(orient="top"), scale=alt.Scale(range=COLOURS)),
        tooltip=_hint(texts, "day", "amount"),
    )  # fmt: skip


def build_response(texts: Texts) -> Any:
    """Median time to answer as a line, nine tenths as a quiet one."""
    base = alt.Chart(_values(), height=150, width="container").encode(
        x=_day(texts), tooltip=_hint(texts, "day", "median", "p90")
    )
    title = texts.get("chart.seconds")
    return alt.layer(
        base.mark_line(color=QUIET, strokeDash=[4, 3]).encode(y=alt.Y("p90:Q", title=title)),
        base.mark_line(color=ACCENT).encode(y=alt.Y("median:Q", title=title)),
    )


def build_funnel(texts: Texts) -> Any:
    """Steps below each other, as long as the sessions that reach them."""
    base = alt.Chart(_values(), height=alt.Step(38), width="container").encode(
        y=alt.Y("step:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
        x=alt.X("sessions:Q", title=None, axis=None),
        tooltip=_hint(texts, "step", "sessions", "dropped"),
    )
    return alt.layer(
        base.mark_bar(color=ACCENT, cornerRadiusEnd=3),
        base.mark_text(align="left", dx=6, fontSize=13).encode(text="label:N"),
    )


def build_heat_map(texts: Texts) -> Any:
    """Hours across, weekdays down, the darker the more messages a week."""
    formats = get_formats(texts.language)
    return alt.Chart(_values(), height=alt.Step(26), width="container").mark_rect(cornerRadius=2).encode(
        x=alt.X("hour:O", title=texts.get("chart.hour"), axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("weekday:O", title=None, sort=[formats.write_weekday(number) for number in range(7)]),
        color=alt.Color("per_week:Q", title=texts.get("chart.per_week"), scale=alt.Scale(scheme="blues"),
                        legend=alt.Legend(orient="top", gradientLength=160)),
        tooltip=_hint(texts, "weekday", "hour", "per_week"),
    )  # fmt: skip


def build_retention(texts: Texts) -> Any:
    """The share that came back, a cohort month each, with its 95 % interval."""
    base = alt.Chart(_values(), height=180, width="container").encode(
        x=alt.X("month:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        tooltip=_hint(texts, "month", "rate", "n"),
    )
    share = alt.Axis(format=".0%", tickCount=6)
    return alt.layer(
        base.mark_rule(color=QUIET, strokeWidth=2).encode(y=alt.Y("low:Q", title=None, axis=share), y2="high:Q"),
        base.mark_point(color=ACCENT, filled=True, size=70).encode(y=alt.Y("rate:Q", title=None, axis=share)),
    )


def build_leaderboard(texts: Texts) -> Any:
    """Conversion of each salon with its 95 % interval."""
    base = alt.Chart(_values(), height=alt.Step(26), width="container").encode(
        y=alt.Y("salon:N", title=None, sort=None, axis=alt.Axis(labelLimit=200)),
        tooltip=_hint(texts, "salon", "rate", "n"),
    )
    share = alt.Axis(format=".0%", tickCount=6)
    return alt.layer(
        base.mark_rule(color=QUIET, strokeWidth=2).encode(x=alt.X("low:Q", title=None, axis=share), x2="high:Q"),
        base.mark_point(color=ACCENT, filled=True, size=70).encode(x=alt.X("rate:Q", title=None, axis=share)),
    )


def build_problems(texts: Texts) -> Any:
    """Rows with each of the five problems, a day of checking each: lines that are to reach zero."""
    return alt.Chart(_values(), height=HEIGHT, width="container").mark_line(point=True).encode(
        x=_day(texts),
        y=alt.Y("rows:Q", title=texts.get("chart.rows"), axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("problem:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=400),
            scale=alt.Scale(range=COLOURS)),
        tooltip=_hint(texts, "day", "problem", "rows"),
    )  # fmt: skip


CHARTS: dict[str, Callable[[Texts], Any]] = {
    "sessions": build_sessions,
    "revenue": build_revenue,
    "response": build_response,
    "funnel": build_funnel,
    "heat_map": build_heat_map,
    "retention_new": build_retention,
    "retention_all": build_retention,
    "leaderboard": build_leaderboard,
    "problems": build_problems,
}
