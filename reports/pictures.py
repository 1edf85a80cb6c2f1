"""Draws what goes out beside a digest: a PNG, made here, without a browser and without a network (issue 6)."""

from __future__ import annotations

from typing import Any, Literal

from babel.dates import format_date

from reports.digest_facts import Facts
from reports.digest_texts import count_text, write_text

WIDTH, HEIGHT, SCALE = 1000, 500, 2
"""In points; drawn at twice as many pixels, for screens of phones."""
FONT = "Liberation Sans"
"""The one font that vl-convert brings along, Cyrillic included: a missing one would leave the picture without words."""
LOCALES: dict[str, Literal["ru-RU", "en-US"]] = {"ru": "ru-RU", "en": "en-US"}
DIALOGS, BOOKINGS, MARKED, INK = "#2f6f8f", "#d9822b", "#f6ead2", "#33383d"


def draw_days(facts: Facts, *, marked: str) -> bytes | None:
    """Return dialogs (area) and bookings made (bars) of the last 28 days as a PNG of 2000 by 1000 pixels.

    The days that the digest is about have a ground of their own; ``marked`` says which they are. None where nothing
    happened on any day: an empty picture says less than the text.
    """
    if not any(day.dialogs for day in facts.days):
        return None
    # Here, because it takes a second and most digests that are looked for are not due.
    import vl_convert

    png: bytes = vl_convert.vegalite_to_png(
        specify_days(facts, marked=marked), scale=SCALE, allowed_base_urls=[], format_locale=LOCALES[facts.language]
    )
    return png


def specify_days(facts: Facts, *, marked: str) -> dict[str, Any]:
    """Return the picture as Vega-Lite; all data stand in it, nothing is loaded."""
    import altair as alt

    language = facts.language
    names = [write_text(language, f"picture.{kind}") for kind in ("dialogs", "bookings")]
    labels = {day.day: format_date(day.day, "d MMM" if language == "ru" else "MMM d", locale=language)
              for day in facts.days}  # fmt: skip
    days = list(labels.values())
    # The last day and every seventh before it: the same weekday.
    shown = days[::-7][::-1]
    x = alt.X("day:O", sort=days, scale=alt.Scale(domain=days, padding=0), title=None,
              axis=alt.Axis(values=shown, labelAngle=0, labelOverlap=False))  # fmt: skip
    y = alt.Y("count:Q", title=None, axis=alt.Axis(format=",d", tickMinStep=1))
    colour = alt.Color("what:N", scale=alt.Scale(domain=names, range=[DIALOGS, BOOKINGS]),
                       legend=alt.Legend(title=None, orient="top", symbolOpacity=1, symbolType="square"))  # fmt: skip

    def chart(name: str, counts: list[int]) -> Any:
        values = [
            {"day": label, "what": name, "count": count} for label, count in zip(days, counts, strict=True)
        ]  # fmt: skip
        return alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y, color=colour)

    about = [{"day": label} for day, label in labels.items() if facts.span.first <= day <= facts.span.last]
    ground = alt.Chart(alt.InlineData(values=about)).mark_rect(color=MARKED).encode(x=x)
    dialogs = chart(names[0], [day.dialogs for day in facts.days])
    bookings = chart(names[1], [day.bookings for day in facts.days])
    layers = alt.layer(
        ground, dialogs.mark_area(opacity=0.25), bookings.mark_bar(width=alt.RelativeBandSize(band=0.6)),
        dialogs.mark_line(strokeWidth=3, point=alt.OverlayMarkDef(size=45)),
    )  # fmt: skip
    title = alt.Title(
        count_text(language, "picture.title", len(days), str(len(days)), salon=facts.salon),
        anchor="start", fontSize=24, offset=16,
        subtitle=write_text(language, "picture.marked", day=marked), subtitleFontSize=17, color=INK,
        subtitleColor=INK,
    )  # fmt: skip
    picture = layers.properties(
        width=WIDTH, height=HEIGHT, title=title, background="white", padding=20,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )  # fmt: skip
    picture = picture.configure(
        font=FONT, view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(labelFontSize=17, gridColor="#e6e6e6", labelColor=INK),
        legend=alt.LegendConfig(labelFontSize=17, labelColor=INK, symbolSize=220),
    )  # fmt: skip
    specification: dict[str, Any] = picture.to_dict()
    return specification
