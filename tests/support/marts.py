"""A database to work in: fill its raw tables, build its marts, read them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from agentp import pipeline
from agentp.pipeline import MartChange
from agentp.settings import Settings
from tests.support.scripts import Recorder

if TYPE_CHECKING:
    from expectations.verdicts import Verdict

AS_OF = "2026-02-28"
MARTS = {
    "dashboard.dialogs": ("tenant_id", "message_id"),
    "dashboard.sessions": ("tenant_id", "session_id"),
    "intermediate.int_tenant_days": ("tenant_id", "day"),
    "intermediate.int_person_days": ("tenant_id", "person_id", "day"),
    "dashboard.metrics_dailies": ("tenant_id", "day"),
    "dashboard.funnel_daily": ("tenant_id", "day", "channel"),
    "dashboard.revenue_daily": ("tenant_id", "day", "currency"),
    "dashboard.kpis": ("tenant_id", "period_days", "measure", "currency"),
    "dashboard.traffic_hourly": ("tenant_id", "day", "hour"),
    "dashboard.visits": ("tenant_id", "booking_id"),
    "dashboard.visits_monthly": ("tenant_id", "visit_month", "service_id", "staff_id", "currency"),
    "dashboard.clients": ("tenant_id", "client_id"),
    "dashboard.persons": ("tenant_id", "person_id"),
    "dashboard.freed_slots": ("tenant_id", "booking_id", "visit_at"),
    "dashboard.retention": ("tenant_id", "cohort_month", "measure"),
    "dashboard.visit_rates": ("tenant_id", "visit_month", "measure"),
    "dashboard.peers": ("tenant_id", "measure"),
    "dashboard.return_rates": ("tenant_id", "segment", "lateness"),
}
RAW_TABLES = (
    "tenants_v2", "clients_v2", "conversation_sessions_v2", "recent_history_v2", "user_ltm_v2", "wishlist_v2",
)  # fmt: skip
NAMESPACE = uuid.UUID("6f1c4e1e-52a3-4b9f-9f43-0d6f0f3a7b10")


def make_id(name: str) -> uuid.UUID:
    """Return the same id for the same name, so that tests read as sentences."""
    return uuid.uuid5(NAMESPACE, name)


@dataclass
class Workshop:
    """One database with raw tables and marts."""

    recorder: ClassVar[Recorder | None] = None
    """What dbt was recorded with, once there is a database whose marts stand."""

    url: str
    settings: Settings

    def migrate(self, *, is_oldest: bool = False, with_change_tracking: bool = True) -> list[str]:
        """Bring the raw tables to their shape; return the warnings."""
        return pipeline.migrate(
            self.url,
            is_oldest=is_oldest,
            with_change_tracking=with_change_tracking,
            report=lambda line: None,
        )

    def build(
        self, *, as_of: str = AS_OF, full_refresh: bool = False, select: str | None = None
    ) -> dict[str, MartChange]:
        """Build and return what changed, by mart: from recorded scripts where there are such, else by dbt."""
        if self.recorder is None or not self.recorder.fits(self.url, self.settings):
            return self.build_with_dbt(as_of=as_of, full_refresh=full_refresh, select=select)
        self.recorder.run(
            self.url, as_of=as_of, brake_share=self.settings.brake_share, full_refresh=full_refresh, select=select
        )
        return {change.mart: change for change in pipeline.read_last_changes(self.url)}

    def build_with_dbt(
        self, *, as_of: str = AS_OF, full_refresh: bool = False, select: str | None = None
    ) -> dict[str, MartChange]:
        """Build as `agentp build` does, and return what changed, by mart."""
        changes = pipeline.build(self.settings, self.url, as_of=as_of, full_refresh=full_refresh, select=select)
        return {change.mart: change for change in changes}

    def gather_statistics(self) -> None:
        """Tell the planner how many rows there are, as autovacuum does where it is on: it matters from hundreds on."""
        self.execute(f"analyze {', '.join((*RAW_TABLES, 'dashboard.figures_shown'))}")

    def check(self, *, as_of: str = AS_OF, is_full: bool = False, docs: Path | None = None) -> Verdict:
        """Check the raw tables against the data standard."""
        return pipeline.check(self.settings, self.url, as_of=as_of, is_full=is_full, docs=docs)

    def execute(self, query: str, parameters: Any = None) -> list[dict[str, Any]]:
        """Run one statement in a transaction of its own; return its rows, if it has any."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            cursor = connection.execute(query, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert rows, JSON columns as dictionaries, in one transaction."""
        with psycopg.connect(self.url) as connection:
            for row in rows:
                statement = sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                )
                values = [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()]
                connection.execute(statement, values)

    def read_marts(self, relations: Iterable[str] = tuple(MARTS)) -> dict[str, list[dict[str, Any]]]:
        """Return every mart's rows, ordered by key."""
        return {name: self.execute(f"select * from {name} order by {', '.join(MARTS[name])}") for name in relations}

    def add_tenant(self, name: str = "salon", *, timezone: str | None = "Europe/Moscow", **columns: Any) -> uuid.UUID:
        """Add a salon, created on 2026-01-01 unless told otherwise."""
        metadata = {"settings": {} if timezone is None else {"timezone": timezone}}
        row = {
            "id": make_id(name),
            "name": name,
            "metadata": metadata,
            "created_at": "2026-01-01 09:00+00",
            **columns,
        }
        self.insert("tenants_v2", [row])
        return make_id(name)

    def add_dialogue(self) -> None:
        """Add a salon with one client and one dialogue of one message."""
        self.add_tenant()
        self.add_client()
        self.add_session("visit", "2026-02-01 10:00+00", "2026-02-01 10:20+00")
        self.add_message(1, "2026-02-01 10:00+00", session="visit")

    def add_client(self, tenant: str = "salon", name: str = "client", **columns: Any) -> uuid.UUID:
        """Add a client of a salon."""
        self.insert("clients_v2", [{"id": make_id(name), "tenant_id": make_id(tenant), "full_name": name, **columns}])
        return make_id(name)

    def add_session(
        self, name: str, started_at: str | datetime, ended_at: str | datetime | None, *,
        tenant: str = "salon", client: str = "client", **columns: Any,
    ) -> uuid.UUID:  # fmt: skip
        """Add an archived session on Telegram, `auto_closed` unless told otherwise."""
        row = {
            "session_id": make_id(name), "tenant_id": make_id(tenant), "user_id": make_id(client),
            "channel": "telegram", "started_at": started_at, "ended_at": ended_at,
            "final_status": "auto_closed", **columns,
        }  # fmt: skip
        self.insert("conversation_sessions_v2", [row])
        return make_id(name)

    def add_message(
        self, message_id: int, sent_at: str | datetime, *, session: str | None = None, role: str = "user",
        tenant: str = "salon", client: str = "client", **columns: Any,
    ) -> None:  # fmt: skip
        """Add a message on Telegram; its session is named, or not."""
        row = {
            "id": message_id, "tenant_id": make_id(tenant), "user_id": make_id(client),
            "session_id": make_id(session) if session else None, "role": role, "channel": "telegram",
            "message": f"message {message_id}", "created_at": sent_at, **columns,
        }  # fmt: skip
        self.insert("recent_history_v2", [row])

    def sessions_of_messages(self) -> dict[int, tuple[uuid.UUID, str]]:
        """Return each message's session and how it was found."""
        rows = self.execute("select message_id, session_id, session_source from dashboard.dialogs")
        return {row["message_id"]: (row["session_id"], row["session_source"]) for row in rows}
