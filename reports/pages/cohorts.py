"""Who came back, new clients and all clients of a month apart; what became of bookings; salons of similar size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.blocks import Page, Section
from reports.cells import is_missing
from reports.frames.columns import add_columns, list_records
from reports.frames.comparisons import FEWEST
from reports.pages.context import Context, make_chart, make_section, make_table, to_number
from reports.tables import Column

MONTHS_DRAWN = 12
RATE = (
    Column(name="rate", kind="percent"), Column(name="rate_low", kind="percent", on_page=False),
    Column(name="rate_high", kind="percent", on_page=False),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Whom a month counts: their name in keys of texts, the measures that follow them, and the one that is drawn."""

    name: str
    measures: tuple[str, ...]
    drawn: str


NEW = Cohort(name="new", measures=("second_visit_90d", "third_visit_180d"), drawn="second_visit_90d")
ALL = Cohort(
    name="all", measures=("rebook_client_30d_fwd", "rebook_client_60d_fwd", "rebook_client_90d_fwd"),
    drawn="rebook_client_60d_fwd",
)  # fmt: skip
"""Everybody with a visit in the month, whom the new ones are a part of."""


def build_cohorts(context: Context) -> Page:
    """Return the page."""
    return Page(
        name="cohorts", title=context.texts.get("page.cohorts.title"), lead=context.texts.get("page.cohorts.lead"),
        sections=(
            _build_retention(context, NEW), _build_retention(context, ALL), _build_rates(context),
            _build_peers(context),
        ),
    )  # fmt: skip


def hide_small_rates(frame: pd.DataFrame, count: str) -> pd.DataFrame:
    """Return the frame with rates of fewer than `FEWEST` left out; counts stay."""
    enough = [not is_missing(n) and int(n) >= FEWEST for n in frame[count].tolist()]
    hidden = {
        name: [value if is_enough else None for value, is_enough in zip(frame[name].tolist(), enough, strict=True)]
        for name in ("rate", "rate_low", "rate_high")
    }
    return add_columns(frame, **hidden)


def _build_retention(context: Context, cohort: Cohort) -> Section:
    retention = context.frames.derive(hide_small_rates, "retention", count="assessable_count")
    retention = retention[retention["measure"].isin(cohort.measures)].reset_index(drop=True)
    drawn = retention[(retention["measure"] == cohort.drawn) & retention["rate"].notna()].head(MONTHS_DRAWN).iloc[::-1]
    values = [_draw(context, row) for row in list_records(drawn)]
    table = make_table(
        f"retention-{cohort.name}", retention, Column(name="cohort_month", kind="month"),
        Column(name="measure", kind="word", words="retention", has_filter=True),
        Column(name="clients_count", kind="integer"), Column(name="maturing_count", kind="integer"),
        Column(name="assessable_count", kind="integer"), Column(name="returned_count", kind="integer"), *RATE,
        is_searchable=True,
    )  # fmt: skip
    chart = make_chart(context, f"retention_{cohort.name}", values) if values else None
    return make_section(context, f"cohorts.retention_{cohort.name}", chart, table, fewest=FEWEST)


def _draw(context: Context, row: dict[str, Any]) -> dict[str, Any]:
    formats = context.formats
    return {
        "month": formats.write_month(row["cohort_month"]), "rate": to_number(row["rate"]),
        "low": to_number(row["rate_low"]), "high": to_number(row["rate_high"]),
        "month_text": formats.write_month(row["cohort_month"]), "rate_text": formats.write_percent(row["rate"]),
        "n_text": formats.write_number(row["assessable_count"]),
    }  # fmt: skip


def _build_rates(context: Context) -> Section:
    table = make_table(
        "visit-rates", context.frames.derive(hide_small_rates, "visit_rates", count="whole_count"),
        Column(name="visit_month", kind="month"),
        Column(name="measure", kind="word", words="visit_rate", has_filter=True),
        Column(name="part_count", kind="integer"), Column(name="whole_count", kind="integer"),
        Column(name="presumed_count", kind="integer"), *RATE, is_searchable=True,
    )  # fmt: skip
    return make_section(context, "cohorts.rates", table, fewest=FEWEST)


def _build_peers(context: Context) -> Section:
    peers = context.frames.derive(hide_small_rates, "peers", count="whole_count")
    names = [
        context.texts.find(f"retention.{measure}", context.texts.find(f"visit_rate.{measure}", measure))
        for measure in peers["measure"].tolist()
    ]
    table = make_table(
        "peers", add_columns(peers, measure=names), Column(name="measure"),
        Column(name="whole_count", kind="integer"), *RATE, Column(name="peers_median_rate", kind="percent"),
        Column(name="peers_count", kind="integer"),
    )  # fmt: skip
    return make_section(context, "cohorts.peers", table)
