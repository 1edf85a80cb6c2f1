"""Pages across salons, for the chain and the data team: leaderboard, data quality, runs."""

from __future__ import annotations

from uuid import UUID

import pandas as pd

from reports.blocks import Page, Section
from reports.cells import is_missing
from reports.frames.chain import find_last_days, rank_salons, sum_failures, sum_problems
from reports.frames.columns import add_columns, list_records
from reports.frames.comparisons import FEWEST
from reports.pages.context import Context, make_chart, make_section, make_table, to_instant, to_number
from reports.tables import Column, write_currency


def build_leaderboard(context: Context, names: dict[UUID, str]) -> Page:
    """Return the page that opens first: the salons beside each other."""
    frame = rank_salons(context.frames["kpis"], names)
    formats = context.formats
    is_enough = [not is_missing(n) and n >= FEWEST for n in frame["conversion_n"].tolist()]
    # As a series: of an empty list pandas would make a choice of columns.
    drawn = frame[pd.Series(is_enough, index=frame.index, dtype=bool)].sort_values(
        "conversion", ascending=False, kind="stable"
    )
    values = [
        {
            "salon": row["salon"], "rate": to_number(row["conversion"]), "low": to_number(row["conversion_low"]),
            "high": to_number(row["conversion_high"]), "salon_text": row["salon"],
            "rate_text": formats.write_percent(row["conversion"]),
            "n_text": formats.write_number(row["conversion_n"]),
        }
        for row in list_records(drawn)
    ]  # fmt: skip
    others = [
        ", ".join(write_currency(currency, context.texts) for currency in (currencies or "").split(", ")) or None
        for currencies in frame["other_currencies"].tolist()
    ]
    table = make_table(
        "leaderboard", add_columns(frame, other_currencies=others),
        Column(name="salon", kind="name"), Column(name="dialogs", kind="integer"),
        Column(name="bookings", kind="integer"), Column(name="conversion", kind="percent"),
        Column(name="conversion_low", kind="percent", on_page=False),
        Column(name="conversion_high", kind="percent", on_page=False),
        Column(name="kept_amount", kind="money", currency="currency"),
        Column(name="other_currencies", on_page=False),
        Column(name="unique_clients", kind="integer"), Column(name="avg_response_ms", kind="duration"),
        Column(name="arrival_rate", kind="percent"), Column(name="no_show_rate", kind="percent"),
        is_searchable=True, opens="tenant_id",
    )  # fmt: skip
    chart = make_chart(context, "leaderboard", values) if values else None
    return Page(
        name="index", title=context.texts.get("page.leaderboard.title"),
        lead=context.texts.get("page.leaderboard.lead"),
        sections=(
            make_section(context, "chain.salons", table, fewest=FEWEST),
            make_section(context, "chain.conversion", chart),
        ),
    )  # fmt: skip


def build_quality(context: Context, names: dict[UUID, str]) -> Page:
    """Return the page of the data standard: five problems, rules by salon and by day, rows accepted and set aside."""
    return Page(
        name="quality", title=context.texts.get("page.quality.title"), lead=context.texts.get("page.quality.lead"),
        sections=(
            _build_problems(context, names), _build_rules(context, names), _build_failures(context),
            _build_accounts(context, names),
        ),
    )  # fmt: skip


def build_runs(context: Context, names: dict[UUID, str]) -> Page:
    """Return the page of freshness and of the runs."""
    # What a database says of an error may quote a row.
    is_open = context.veil.shows_people
    days = find_last_days(context.frames["traffic"], names, last_day=context.last_day)
    freshness = make_table(
        "freshness", days, Column(name="salon", kind="name"), Column(name="last_message_day", kind="day"),
        Column(name="days_since", kind="integer"), Column(name="active_days", kind="integer"), is_searchable=True,
    )  # fmt: skip
    problems = make_table(
        "problems", context.frames["problems"], Column(name="kind", kind="word", words="problem_kind"),
        Column(name="title"), *([Column(name="detail")] if is_open else []), Column(name="opened_at", kind="moment"),
        Column(name="closed_at", kind="moment"), empty="runs.no_problems",
    )  # fmt: skip
    runs = make_table(
        "runs", context.frames["run_history"], Column(name="started_at", kind="moment"),
        Column(name="job", has_filter=True), Column(name="as_of"), Column(name="outcome", has_filter=True),
        Column(name="duration_seconds", kind="decimal"), Column(name="checks", kind="integer"),
        Column(name="critical_failures", kind="integer"), Column(name="warnings", kind="integer"),
        *([Column(name="error")] if is_open else []), is_searchable=True,
    )  # fmt: skip
    return Page(
        name="runs", title=context.texts.get("page.runs.title"), lead=context.texts.get("page.runs.lead"),
        sections=(
            make_section(context, "runs.freshness", freshness), make_section(context, "runs.problems", problems),
            make_section(context, "runs.history", runs),
        ),
    )  # fmt: skip


def _build_problems(context: Context, names: dict[UUID, str]) -> Section:
    texts, formats = context.texts, context.formats
    frame = context.frames["standard_problems"]
    values = [
        {
            "day": to_instant(row["day"]), "rows": int(row["rows_failed"]),
            "problem": texts.find(f"problem.{row['problem']}", row["problem"]),
            "problem_text": texts.find(f"problem.{row['problem']}", row["problem"]),
            "day_text": formats.write_day(row["day"]), "rows_text": formats.write_number(row["rows_failed"]),
        }
        for row in list_records(sum_problems(frame))
    ]  # fmt: skip
    table = make_table(
        "standard-problems", _name(frame, names), Column(name="day", kind="day"),
        Column(name="salon", kind="name", has_filter=True),
        Column(name="problem", kind="word", words="problem", has_filter=True),
        Column(name="rows_failed", kind="integer"), Column(name="rows_seen", kind="integer"), is_searchable=True,
    )  # fmt: skip
    return make_section(context, "quality.problems", make_chart(context, "problems", values), table)


def _build_rules(context: Context, names: dict[UUID, str]) -> Section:
    meanings = context.frames["rules"].set_index("rule_id")[f"meaning_{context.language}"].to_dict()
    frame = _name(context.frames["latest_results"], names)
    table = make_table(
        "rules", add_columns(frame, meaning=[meanings.get(rule) for rule in frame["rule_id"].tolist()]),
        Column(name="salon", kind="name", has_filter=True), Column(name="rule_id"), Column(name="meaning"),
        Column(name="severity", kind="word", words="severity", has_filter=True),
        Column(name="action", kind="word", words="rule_action", has_filter=True),
        Column(name="rows_failed", kind="integer"), Column(name="rows_seen", kind="integer"),
        is_searchable=True, is_long=True, empty="quality.no_failures",
    )  # fmt: skip
    return make_section(context, "quality.rules", table)


def _build_failures(context: Context) -> Section:
    frame = sum_failures(context.frames["rule_results"], context.frames["quality_runs"])
    table = make_table(
        "rule-runs", frame.iloc[::-1].reset_index(drop=True), Column(name="started_at", kind="moment"),
        Column(name="rule_id", has_filter=True), Column(name="rows_failed", kind="integer"),
        is_searchable=True, is_long=True, empty="quality.no_failures",
    )  # fmt: skip
    return make_section(context, "quality.runs", table)


def _build_accounts(context: Context, names: dict[UUID, str]) -> Section:
    table = make_table(
        "row-accounts", _name(context.frames["row_accounts"], names),
        Column(name="salon", kind="name", has_filter=True), Column(name="table_name"),
        Column(name="raw_rows", kind="integer"), Column(name="accepted_rows", kind="integer"),
        Column(name="set_aside_rows", kind="integer"), Column(name="is_balanced", kind="boolean"), is_searchable=True,
    )  # fmt: skip
    return make_section(context, "quality.accounts", table)


def _name(frame: pd.DataFrame, names: dict[UUID, str]) -> pd.DataFrame:
    found = [names.get(tenant, str(tenant)) for tenant in frame["tenant_id"].tolist()]
    return add_columns(frame, salon=found)
