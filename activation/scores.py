"""`agentp score`: fit, judge, predict, and keep what was predicted and by which model (REQUIREMENTS C11)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import psycopg
from psycopg import sql

import scoring
from activation.binary import to_instant, write_rows
from activation.ledger import (
    Ledger,
    find_salon_moments,
    find_scoring_moment,
    move_to_one_moment,
    read_ledger,
)
from activation.schema import prepare_tables
from agentp.database import open_connection
from agentp.errors import AgentpError
from agentp.present import is_ahead
from scoring.bookings import FACTORS
from sources.sight import hold_marts

CHURN, BOOKING = "churn", "booking"
KINDS = (CHURN, BOOKING)
LEARNING_ROWS = 1_000_000
"""Models learn from so many rows at most: those of every second, third … client. More would not teach them more."""


@dataclass(frozen=True)
class ScoreReport:
    """What one run did for one kind of model: whether a new one was put in place, why, how good it is, rows scored."""

    kind: str
    is_replaced: bool
    reason: str
    quality: dict[str, Any] | None
    rows: int


def score(
    url: str,
    *,
    as_of: str | None = None,
    kinds: Collection[str] = KINDS,
    announce: Callable[[str], None] = lambda line: None,
) -> tuple[ScoreReport, ...]:
    """Score every client with a visit and every booking ahead; all of it in one transaction, under the build lock.

    ``kinds`` says which of the two (`churn`, `booking`) to score. ``as_of`` is an instant, or a day, which means its
    end in every salon's own zone; by default that of the last build, so that scores and marts tell of one moment. As of
    one that lies ahead nothing is done.
    """
    with hold_marts(url, purpose="score", announce=announce), open_connection(url) as connection:
        built = _find_build(connection)
        prepare_tables(connection)
        present = as_of or built
        if is_ahead(present):
            reason = f"nothing is fitted, scored or kept as of {present}, which lies ahead"
            return tuple(ScoreReport(kind, False, reason, None, 0) for kind in KINDS if kind in kinds)
        moments = find_salon_moments(connection, present)
        moment = find_scoring_moment(moments, present)
        connection.rollback()
        connection.execute("set transaction isolation level repeatable read")
        announce("reading visits")
        ledger = move_to_one_moment(read_ledger(connection), moments, moment)
        reports = []
        for kind, score_kind in ((CHURN, _score_clients), (BOOKING, _score_bookings)):
            if kind in kinds:
                announce(kind)
                reports.append(score_kind(connection, ledger, moment, moments))
        connection.commit()
        return tuple(reports)


def _find_build(connection: psycopg.Connection[Any]) -> str:
    built = connection.execute(
        "select to_regclass('dashboard.visits') is not null and to_regclass('dashboard.tenant_settings') is not null"
    ).fetchone()
    run = None
    if built and built[0]:
        run = connection.execute(
            "select as_of from build.runs where outcome in ('complete', 'partial') order by claimed_at desc limit 1"
        ).fetchone()
    if run is None:
        raise AgentpError("Nothing has been built, so there is nothing to score.", cure="Run `agentp run` first.")
    return str(run[0])


def _score_clients(
    connection: psycopg.Connection[Any], ledger: Ledger, moment: datetime, moments: Mapping[UUID, datetime]
) -> ScoreReport:
    as_of = _to_naive(moment)
    incumbent = _read_model(connection, CHURN)
    selection = scoring.select_churn_model(
        _take_clients(ledger.visits), as_of, incumbent=scoring.ChurnModel.from_dict(incumbent) if incumbent else None
    )
    scores = scoring.churn_probability(ledger.visits, as_of, model=selection.model)
    run_id = _keep_run(connection, CHURN, moment, selection, len(scores))
    codes = scores["client_id"].to_numpy(dtype=np.int64)
    connection.execute("create temporary table fresh_scores (like scoring.client_scores) on commit drop")
    write_rows(
        connection, sql.Identifier("fresh_scores"),
        {
            "tenant_id": "uuid", "client_id": "uuid", "churn_probability": "float8", "cycle_days": "float8",
            "horizon_days": "float8", "run_id": "int8", "scored_at": "timestamptz",
        },
        {
            "tenant_id": ledger.tenant_ids[ledger.tenant_of_client[codes]], "client_id": ledger.client_ids[codes],
            "churn_probability": scores["churn_probability"].to_numpy().round(4),
            "cycle_days": scores["cycle_days"].to_numpy().round(1),
            "horizon_days": scores["horizon_days"].to_numpy().round(1),
            "run_id": run_id,
            "scored_at": np.array([
                to_instant(moments.get(UUID(bytes=bytes(raw)), moment)) for raw in ledger.tenant_ids
            ])[ledger.tenant_of_client[codes]],
        },
    )  # fmt: skip
    connection.execute(_PUBLISH_CLIENT_SCORES)
    return ScoreReport(CHURN, selection.is_replaced, selection.reason, selection.quality, len(scores))


def _score_bookings(
    connection: psycopg.Connection[Any], ledger: Ledger, moment: datetime, moments: Mapping[UUID, datetime]
) -> ScoreReport:
    as_of = _to_naive(moment)
    incumbent = _read_model(connection, BOOKING)
    selection = scoring.select_booking_model(
        _take_clients(ledger.bookings),
        as_of,
        incumbent=scoring.BookingModel.from_dict(incumbent) if incumbent else None,
    )
    ahead = np.fromiter(ledger.upcoming_ids, dtype=np.int64)
    clients = ledger.bookings["client_id"].to_numpy()
    histories = ledger.bookings[np.isin(clients, clients[ahead])]
    scores = scoring.booking_risk(histories, as_of, model=selection.model)
    scores = scores[scores["booking_id"].isin(ahead)]
    run_id = _keep_run(connection, BOOKING, moment, selection, len(scores))
    connection.execute(
        "create temporary table fresh_predictions (tenant_id uuid, booking_id text, risk_score numeric, "
        "risk_factors jsonb, main_factor text, predicted_at timestamp) on commit drop"
    )
    with connection.cursor().copy(
        "copy fresh_predictions (tenant_id, booking_id, risk_score, risk_factors, main_factor, predicted_at) from stdin"
    ) as copy:
        for row in scores[["tenant_id", "booking_id", "risk_score", "main_factor", *FACTORS]].itertuples(index=False):
            copy.write_row((
                str(row.tenant_id), ledger.upcoming_ids[row.booking_id], round(float(row.risk_score), 4),
                _write_factors(row), str(row.main_factor),
                moments.get(UUID(str(row.tenant_id)), moment).replace(tzinfo=None),
            ))  # fmt: skip
    connection.execute(_PUBLISH_PREDICTIONS, {"run": run_id})
    for schema, table in (("dashboard", "predictions"), ("scoring", "booking_scores")):
        connection.execute(sql.SQL(_FORGET_PREDICTIONS).format(sql.Identifier(schema, table)))
    return ScoreReport(BOOKING, selection.is_replaced, selection.reason, selection.quality, len(scores))


def _take_clients(rows: pd.DataFrame) -> pd.DataFrame:
    """Take all rows of so many clients that a model has enough to learn from; their numbers follow random ids."""
    step = -(-len(rows) // LEARNING_ROWS)
    return rows if step <= 1 else rows[rows["client_id"].to_numpy() % step == 0]


def _write_factors(row: Any) -> str:
    """The seed's four factors as JSON; what is not known is null."""
    days, rate = row.days_since_last_visit, row.cancel_rate
    return json.dumps({
        "days_since_last_visit": None if pd.isna(days) else int(days),
        "cancel_rate": None if pd.isna(rate) else round(float(rate), 4),
        "lead_time_days": int(row.lead_time_days),
        "is_new_client": bool(row.is_new_client),
    })  # fmt: skip


def _read_model(connection: psycopg.Connection[Any], kind: str) -> dict[str, Any] | None:
    row = connection.execute(
        "select model from scoring.model_runs where kind = %s order by run_id desc limit 1", (kind,)
    ).fetchone()
    return row[0] if row else None


def _keep_run(connection: psycopg.Connection[Any], kind: str, moment: datetime, selection: Any, rows: int) -> int:
    model = selection.model
    row = connection.execute(
        "insert into scoring.model_runs (kind, as_of, model, trained_from, trained_until, training_rows, is_replaced, "
        "reason, quality, incumbent_quality, rows_scored) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
        "returning run_id",
        (
            kind, moment, json.dumps(model.to_dict()), model.trained_from, model.trained_until, model.rows,
            selection.is_replaced, selection.reason, _to_json(selection.quality),
            _to_json(selection.incumbent_quality), rows,
        ),
    ).fetchone()  # fmt: skip
    return int(row[0]) if row else 0


def _to_json(quality: dict[str, Any] | None) -> str | None:
    return None if quality is None else json.dumps(quality)


def _to_naive(moment: datetime) -> pd.Timestamp:
    return pd.Timestamp(moment).tz_convert("UTC").tz_localize(None)


# Rows of equal probability stay as they are: a nightly run writes what changed.
_PUBLISH_CLIENT_SCORES = """
analyze fresh_scores;
delete from scoring.client_scores as stored
where not exists (
    select 1 from fresh_scores as fresh
    where fresh.tenant_id = stored.tenant_id and fresh.client_id = stored.client_id
);
insert into scoring.client_scores as stored (
    tenant_id, client_id, churn_probability, cycle_days, horizon_days, run_id, scored_at
)
select tenant_id, client_id, churn_probability, cycle_days, horizon_days, run_id, scored_at from fresh_scores
on conflict (tenant_id, client_id) do update set
    churn_probability = excluded.churn_probability, cycle_days = excluded.cycle_days,
    horizon_days = excluded.horizon_days, run_id = excluded.run_id, scored_at = excluded.scored_at
where
    (stored.churn_probability, stored.cycle_days, stored.horizon_days)
    is distinct from (excluded.churn_probability, excluded.cycle_days, excluded.horizon_days)
"""
_PUBLISH_PREDICTIONS = """
with published as (
    insert into dashboard.predictions (tenant_id, booking_id, risk_score, risk_factors, predicted_at)
    select tenant_id, booking_id, risk_score, risk_factors, predicted_at from fresh_predictions
    on conflict (tenant_id, booking_id) do update set
        risk_score = excluded.risk_score, risk_factors = excluded.risk_factors, predicted_at = excluded.predicted_at
)
insert into scoring.booking_scores (tenant_id, booking_id, main_factor, run_id)
select tenant_id, booking_id, main_factor, %(run)s from fresh_predictions
on conflict (tenant_id, booking_id) do update set main_factor = excluded.main_factor, run_id = excluded.run_id
"""
# What was predicted of a booking stays when its time is over, to be held against what came; a booking that the raw
# tables no longer know takes its prediction along.
_FORGET_PREDICTIONS = """
delete from {} as predicted
where not exists (
    select 1 from dashboard.visits
    where visits.tenant_id = predicted.tenant_id and visits.booking_id = predicted.booking_id
)
"""
