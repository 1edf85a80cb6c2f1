"""The eight questions of docs/questions.md, asked as an analyst and worked out another way from rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import create_engine

from agentp.settings import PROJECT_ROOT
from tests.access.conftest import Chain

PAGE = (PROJECT_ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"^## ([^\n]+)\n\n```sql\n(.+?)```", PAGE, flags=re.MULTILINE | re.DOTALL))
Rows = list[dict[str, Any]]


class Facts:
    """Rows that the answers are worked out from."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.zones = {row["id"]: row for row in self.read("select id, name, metadata from tenants_v2")}
        self.sessions = self.read("select * from dashboard.sessions where started_day <= %s", self.last_day)
        self.visits = self.read("select * from dashboard.visits")
        self.persons = {
            (row["tenant_id"], row["client_id"]): row["person_id"]
            for row in self.read("select * from dashboard.clients")
        }

    @property
    def last_day(self) -> date:
        """The last day that the marts know."""
        found: date = self.read("select max(day) as day from dashboard.metrics_dailies")[0]["day"]
        return found

    def read(self, query: str, *parameters: Any) -> Rows:
        """Return rows as whoever owns the marts."""
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def read_clock(self, tenant_id: Any, moment: datetime) -> datetime:
        """Return what the salon's clock shows."""
        zone = self.zones[tenant_id]["metadata"]["settings"].get("timezone", "Europe/Moscow")
        return moment.astimezone(ZoneInfo(zone))


@pytest.fixture(scope="module")
def facts(chain: Chain) -> Facts:
    """What the answers are held against."""
    return Facts(chain.url)


@pytest.fixture
def ask(chain: Chain) -> Callable[[str], Rows]:
    """Ask a question of the page as an analyst."""

    def answer(start: str) -> Rows:
        [query] = [query for title, query in QUESTIONS.items() if title.startswith(start)]
        with chain.logins["analyst"].connect(chain.url) as session:
            session.row_factory = dict_row
            return session.execute(query.encode()).fetchall()

    return answer


def test_there_are_eight_and_they_read_what_analysts_read() -> None:
    assert len(QUESTIONS) == 8
    read = {name for query in QUESTIONS.values() for name in re.findall(r"(?:from|join) (\w+\.\w+)", query)}
    assert {name.split(".")[0] for name in read} == {"analysis"}


def test_which_service_loses_most_and_where(facts: Facts, ask: Callable[[str], Rows]) -> None:
    stages = {"staff": "staff_selection", "time": "time_selection", "confirmation": "confirmation"}
    intended = [
        row for row in facts.sessions if row["is_booking_intended"] and row["service_id"] and not row["is_inferred"]
    ]
    lost = Counter(
        (facts.zones[row["tenant_id"]]["name"], row["service_id"], row["drop_off_stage"]) for row in intended
    )
    found = ask("Which service")
    assert sum(row["lost"] for row in found) > 20
    assert {
        (row["tenant_name"], row["service_id"], stages[row["step"]]): row["lost"] for row in found if row["lost"]
    } == {kind: count for kind, count in lost.items() if kind[2] in stages.values()}


def test_how_often_people_do_not_come(facts: Facts, ask: Callable[[str], Rows]) -> None:
    found = ask("How often people")
    [rates] = facts.read(
        "select sum(part_count) as missed, sum(whole_count) as expected from dashboard.visit_rates "
        "where measure = 'no_show'"
    )
    assert (sum(row["missed"] for row in found), sum(row["expected"] for row in found)) == tuple(rates.values())
    early = [
        row for row in facts.visits if row["outcome"] == "no_show" and (row["visit_at"] - row["booked_at"]).days < 1
    ]
    assert next(row for row in found if row["lead_time"] == "same day")["missed"] == len(early)


def test_how_long_people_wait_at_night(facts: Facts, ask: Callable[[str], Rows]) -> None:
    waits: dict[bool, list[int]] = defaultdict(list)
    for reply in facts.read(
        "select * from dashboard.dialogs where response_ms is not null and session_source <> 'inferred'"
    ):
        asked = reply["sent_at"] - timedelta(milliseconds=reply["response_ms"])
        waits[8 <= facts.read_clock(reply["tenant_id"], asked).hour <= 21].append(reply["response_ms"])
    found = {row["is_day"]: (row["replies"], float(row["mean_minutes"])) for row in ask("How long people")}
    assert found.keys() == waits.keys() == {True, False}
    for is_day, took in waits.items():
        assert found[is_day][0] == len(took)
        assert found[is_day][1] == pytest.approx(sum(took) / len(took) / 60_000)


def test_how_many_dialogues_lost_their_id(facts: Facts, ask: Callable[[str], Rows]) -> None:
    said: dict[Any, set[str]] = defaultdict(set)
    spoke = set()
    for row in facts.read("select * from dashboard.dialogs"):
        said[row["tenant_id"], row["session_id"]].add(row["session_source"])
        spoke |= {(row["tenant_id"], row["session_id"])} if row["role"] == "user" else set()
    archived = facts.read("select tenant_id, session_id from conversation_sessions_v2")
    dialogues = {(row["tenant_id"], row["session_id"]) for row in archived} | (spoke & said.keys())
    lost = {key for key in dialogues if said[key] - {"recorded"}}
    found = ask("How many dialogues")
    assert (sum(row["lost"] for row in found), sum(row["dialogues"] for row in found)) == (len(lost), len(dialogues))
    assert all(row["week"].isoweekday() == 1 for row in found)


def test_how_new_and_returning_clients_convert(facts: Facts, ask: Callable[[str], Rows]) -> None:
    visited = [row for row in facts.visits if row["is_visit"]]
    counts: Counter[tuple[str, bool]] = Counter()
    for row in facts.sessions:
        if row["is_booking_intended"] and not row["is_inferred"]:
            person = facts.persons[row["tenant_id"], row["client_id"]]
            came = any(
                (visit["tenant_id"], visit["person_id"]) == (row["tenant_id"], person)
                and visit["visit_at"] < row["started_at"]
                for visit in visited
            )
            counts["returning" if came else "new", row["is_booked"]] += 1
    found = {row["client_kind"]: (row["dialogues"], row["booked"]) for row in ask("How new clients")}
    assert found == {
        kind: (counts[kind, True] + counts[kind, False], counts[kind, True]) for kind in ("new", "returning")
    }
    assert min(counts.values()) > 0


def test_what_each_master_brought(facts: Facts, ask: Callable[[str], Rows]) -> None:
    brought: dict[Any, Decimal] = defaultdict(Decimal)
    for row in facts.visits:
        if row["is_visit"] and row["booking_amount"] is not None:
            month = row["visit_day"].replace(day=1)
            brought[row["tenant_id"], row["staff_id"] or "", row["booking_currency"] or "XXX", month] += row[
                "booking_amount"
            ]
    found = ask("What each master")
    for row in found:
        key = row["tenant_id"], row["staff_id"], row["currency"], row["visit_month"]
        before = (*key[:3], (row["visit_month"] - timedelta(days=1)).replace(day=1))
        assert row["amount"] == brought.get(key, 0)
        assert row["amount_before"] is None or row["amount_before"] == brought.get(before, 0)
    assert sum(row["amount"] for row in found) == sum(brought.values()) > 0


def test_what_came_in_while_closed(facts: Facts, ask: Callable[[str], Rows]) -> None:
    closed: Counter[str] = Counter()
    for row in facts.read("select tenant_id, started_at from conversation_sessions_v2"):
        salon = facts.zones[row["tenant_id"]]
        settings = salon["metadata"]["settings"]
        if "opening_time" in settings:
            clock = facts.read_clock(row["tenant_id"], row["started_at"]).time()
            opens, closes = (time.fromisoformat(settings[name]) for name in ("opening_time", "closing_time"))
            closed[salon["name"]] += not opens <= clock < closes
    found = {row["tenant_name"]: row["closed"] for row in ask("What came in")}
    assert {name: count for name, count in found.items() if count is not None} == dict(closed)
    assert None in found.values()
    assert closed.total() > 20


def test_whose_clients_come_again(facts: Facts, ask: Callable[[str], Rows]) -> None:
    days: dict[Any, set[date]] = defaultdict(set)
    visits = {
        (row["tenant_id"], row["person_id"], row["staff_id"], row["service_id"], row["visit_day"])
        for row in facts.visits if row["is_visit"]
    }  # fmt: skip
    for tenant_id, person_id, _, _, day in visits:
        days[tenant_id, person_id].add(day)
    outcomes: dict[Any, list[bool]] = defaultdict(list)
    for tenant_id, person_id, staff_id, _, day in visits:
        end = day + timedelta(days=60)
        if end <= facts.last_day:
            outcomes[tenant_id, staff_id or ""].append(any(day < other <= end for other in days[tenant_id, person_id]))
    found = {(row["tenant_id"], row["staff_id"]): (row["came_again"], row["visits"]) for row in ask("Whose clients")}
    assert {key: row for key, row in found.items() if row[1]} == {
        key: (sum(came), len(came)) for key, came in outcomes.items()
    }
    assert 0 < sum(map(sum, outcomes.values())) < len(list(flatten(outcomes.values())))


def flatten(parts: Iterable[Iterable[bool]]) -> Iterable[bool]:
    return (one for part in parts for one in part)


def test_numbers_arrive_as_numbers_in_pandas(chain: Chain) -> None:
    with chain.logins["analyst"].connect(chain.url) as session:
        engine = create_engine("postgresql+psycopg://", creator=lambda: session)
        frame = pd.read_sql("select * from analysis.rebooking_monthly", engine)
        money = pd.read_sql("select sum(arrived_amount) as amount from analysis.visits_monthly", engine)
    counts = [name for name in frame.columns if name.endswith("_count")]
    assert {str(frame[name].dtype) for name in counts} == {"int64"}
    assert {str(frame[name].dtype) for name in ("rate", "rate_low", "rate_high")} == {"float64"}
    assert str(money["amount"].dtype) == "float64"
