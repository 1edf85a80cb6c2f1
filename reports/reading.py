"""Selects marts into frames, a bounded number of queries a salon; all of a site reads one snapshot of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from agentp.database import open_connection
from agentp.errors import SetupError
from reports.audiences import Veil
from reports.blocks import Frames
from reports.loaders import load_infinity_as_nothing
from reports.phones import DEFAULT_REGION, find_region
from reports.selections import CHAIN, DAYS_SHOWN, SALON, SIGNED, Selection

Connection = psycopg.Connection[TupleRow]
MOMENT = psycopg.adapters.types["timestamptz"].oid
"""How Postgres marks a column of moments."""


@dataclass(frozen=True, kw_only=True)
class Salon:
    """A salon that pages are made for."""

    tenant_id: UUID
    name: str
    slug: str
    timezone: str
    language: str
    last_day: date | None
    signature: str = ""
    phone_region: str = DEFAULT_REGION

    @property
    def folder(self) -> str:
        """The salon's folder in the site: what is readable of its slug, made unique by its id."""
        plain = "".join(
            character if character.isascii() and character.isalnum() else "-" for character in self.slug.lower()
        )
        return f"{plain.strip('-')[:40] or 'salon'}-{str(self.tenant_id)[:8]}"


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What the marts stand at: as of when they were built, and when that was."""

    as_of: str
    built_at: datetime


@contextmanager
def open_snapshot(url: str, snapshot: str | None = None) -> Iterator[tuple[Connection, str]]:
    """Yield a connection that sees the database as it is at this moment, and the snapshot's name for others to join."""
    with open_connection(url) as connection:
        load_infinity_as_nothing(connection)
        connection.execute("set transaction isolation level repeatable read, read only")
        if snapshot is None:
            row = connection.execute("select pg_export_snapshot()").fetchone()
            snapshot = str(row[0]) if row else ""
        else:
            connection.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(snapshot)))
        yield connection, snapshot


def read_edition(connection: Connection) -> Edition:
    """Return what the marts stand at; refuse a database that nothing was ever built in."""
    known = connection.execute("select to_regclass('build.runs') is not null").fetchone()
    row = None
    if known and known[0]:
        row = connection.execute(
            "select as_of, finished_at from build.runs where outcome = 'complete' order by claimed_at desc limit 1"
        ).fetchone()
    if row is None:
        raise SetupError("Nothing was built yet.", cure="Run `agentp run` first, or `agentp demo --run` to try it.")
    read = {f"{found.schema}.{found.relation}" for found in (*SALON.values(), *CHAIN.values())}
    marts = sorted({"dashboard.tenant_settings", *(name for name in read if not name.startswith("quality."))})
    missing = connection.execute(
        "select string_agg(name, ', ') from unnest(%s::text[]) as name where to_regclass(name) is null", (marts,)
    ).fetchone()
    if missing and missing[0]:
        # A raw table that was dropped took its views with it.
        raise SetupError(
            f"Not there, or not any more: {missing[0]}.", cure="Run `agentp build`; the site stays until then."
        )
    return Edition(as_of=row[0], built_at=row[1])


def read_salons(connection: Connection, wanted: tuple[str, ...] = ()) -> list[Salon]:
    """Return the active salons, or those among all that are named by slug, id or name; refuse a name nobody has."""
    rows = connection.execute(
        "select settings.tenant_id, settings.tenant_name, settings.slug, settings.timezone, settings.language, "
        "settings.is_active, last_days.day, settings.phone_region from dashboard.tenant_settings as settings "
        "left join lateral ("
        "select max(metrics.day) as day from dashboard.metrics_dailies as metrics "
        "where metrics.tenant_id = settings.tenant_id and metrics.is_final) as last_days on true "
        "order by settings.tenant_name, settings.tenant_id"
    ).fetchall()
    salons = []
    named = set()
    for tenant_id, name, slug, timezone, language, is_active, last_day, phone_region in rows:
        names = {str(tenant_id), slug or "", name or ""} & set(wanted)
        named |= names
        if names or (not wanted and is_active):
            salons.append(
                Salon(
                    tenant_id=tenant_id, name=name or slug or str(tenant_id), slug=slug or "", timezone=timezone,
                    language=language or "ru", last_day=last_day, phone_region=find_region(timezone, phone_region),
                )
            )  # fmt: skip
    missing = [name for name in wanted if name not in named]
    if missing:
        known = ", ".join(str(row[2] or row[0]) for row in rows[:10])
        raise SetupError(
            f"There is no salon '{missing[0]}'.", cure=f"Name one by slug, id or name; there are: {known}."
        )
    return salons


def read_salon(connection: Connection, salon: Salon, veil: Veil) -> Frames:
    """Return the salon's marts; times are the salon's wall clock, without a zone."""
    connection.execute("select set_config('timezone', %s, true)", (salon.timezone,))
    since = salon.last_day - timedelta(days=DAYS_SHOWN) if salon.last_day else date.min
    values = {"tenant_id": salon.tenant_id, "since": since}
    return Frames({name: read_frame(connection, selection, veil, values) for name, selection in SALON.items()})


def read_chain(connection: Connection, salons: list[Salon], veil: Veil) -> Frames:
    """Return what the pages across salons show; times are UTC."""
    connection.execute("select set_config('timezone', 'UTC', true)")
    values = {"tenant_ids": [salon.tenant_id for salon in salons]}
    return Frames({name: read_frame(connection, selection, veil, values) for name, selection in CHAIN.items()})


def read_frame(connection: Connection, selection: Selection, veil: Veil, values: dict[str, Any]) -> pd.DataFrame:
    """Return what a selection chooses, as far as the audience may see it; times are local and naive."""
    columns = veil.choose_columns(selection.relation, selection.columns)
    unnamed = veil.find_unnamed(selection.relation, selection.columns)
    if selection.schema == "quality" and not _exists(connection, selection):
        # Nothing was run here yet by `agentp run`: its history is empty, not missing.
        return pd.DataFrame({column: pd.Series([], dtype=object) for column in columns})
    query = sql.SQL("select {columns} from {relation} where {where} order by {order} limit {limit}").format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        relation=sql.Identifier(selection.schema, selection.relation),
        where=sql.SQL(selection.where),
        order=sql.SQL(selection.order),
        limit=sql.Literal(selection.limit),
    )
    found = connection.execute(query, values)
    rows = found.fetchall()
    frame = np.full((len(rows), len(columns) + len(unnamed)), None, dtype=object)
    for place, (_, kind, *_) in enumerate(found.description or ()):
        values_of = (row[place] for row in rows)
        moments = (value and value.replace(tzinfo=None) for value in values_of) if kind == MOMENT else values_of
        frame[:, place] = np.fromiter(moments, dtype=object, count=len(rows))
    # Values as they are: pandas would make numbers of moments, and floats of whole numbers beside nothing. Names of
    # Python, too: looking up pandas' own strings takes several times as long.
    return pd.DataFrame(frame, columns=pd.Index([*columns, *unnamed], dtype=object), dtype=object)


def sign_salons(connection: Connection, salons: list[Salon]) -> dict[UUID, str]:
    """Return for each salon a signature of all its rows in the marts that pages show: equal rows, equal signature."""
    connection.execute("select set_config('timezone', 'UTC', true)")
    parts: dict[UUID, list[str]] = {salon.tenant_id: [] for salon in salons}
    for relation in SIGNED:
        query = sql.SQL(
            "select marts.tenant_id, count(*), sum(hashtextextended(marts::text, 0)) from dashboard.{} as marts "
            "where marts.tenant_id = any(%s) group by marts.tenant_id"
        ).format(sql.Identifier(relation))
        for tenant_id, count, total in connection.execute(query, (list(parts),)):
            parts[tenant_id].append(f"{relation}:{count}:{total}")
    return {tenant_id: "|".join(found) for tenant_id, found in parts.items()}


def _exists(connection: Connection, selection: Selection) -> bool:
    row = connection.execute("select to_regclass(%s)", (f"{selection.schema}.{selection.relation}",)).fetchone()
    return row is not None and row[0] is not None
