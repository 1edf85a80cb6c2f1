"""Churn figures in the bot's memory: what is written, what stays the bot's, and what happens when it is cut short."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from activation.runs import activate
from agentp.errors import SetupError
from tests.activation.conftest import NOON, Salon
from tests.support.marts import make_id


def read_memories(salon: Salon) -> dict[str, dict[str, Any]]:
    rows = salon.execute(
        "select clients.full_name, memories.* from user_ltm_v2 as memories "
        "join clients_v2 as clients on clients.id = memories.user_id"
    )
    return {row["full_name"]: row for row in rows}


def remember(salon: Salon, client: str, *, tenant: str = "salon", **columns: Any) -> None:
    row = {"user_id": make_id(client), "tenant_id": make_id(tenant), "ltm_data": {"likes": "tea"}, **columns}
    salon.insert("user_ltm_v2", [row])


def count_changed(report: Any) -> int:
    return int(report.memories.changed)


def test_a_dry_run_counts_and_writes_neither_memories_nor_messages(salon: Salon) -> None:
    remember(salon, "regular")
    before = salon.execute("select xmin::text, * from user_ltm_v2")
    report = salon.activate(dry=True)
    changes = {tenant.tenant_id: (tenant.updated, tenant.inserted) for tenant in report.memories.tenants}
    assert changes == {str(make_id("salon")): (1, 10), str(make_id("other")): (0, 1)}
    assert salon.execute("select xmin::text, * from user_ltm_v2") == before
    assert salon.outbox() == {}


def test_figures_are_those_of_the_mart_and_the_rest_stays_the_bots(salon: Salon) -> None:
    remember(salon, "regular", preferred_staff_id="m9")
    assert count_changed(salon.activate()) == 12
    memories = read_memories(salon)
    regular = memories["regular"]
    assert regular["last_visit_date"] == datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert (regular["avg_visit_interval"], regular["churn_risk_score"]) == (14, Decimal("0.9"))
    assert (regular["preferred_staff_id"], regular["ltm_data"]) == ("m9", {"likes": "tea"})
    assert (memories["once"]["avg_visit_interval"], memories["once"]["ltm_data"]) == (None, {})
    assert memories["stranger"]["tenant_id"] == make_id("other")


def test_a_second_run_changes_no_memory(salon: Salon) -> None:
    salon.activate()
    before = salon.execute("select xmin::text, * from user_ltm_v2 order by user_id")
    report = salon.activate()
    assert (report.memories.changed, report.memories.left_busy) == (0, 0)
    assert salon.execute("select xmin::text, * from user_ltm_v2 order by user_id") == before


def test_clients_without_a_visit_are_left_as_they_are(salon: Salon) -> None:
    remember(salon, "giver", churn_risk_score=Decimal("0.5"))
    salon.activate()
    memories = read_memories(salon)
    assert memories["giver"]["churn_risk_score"] == Decimal("0.5")
    assert "first waiting" not in memories


def test_a_memory_under_another_salon_is_left_and_counted(salon: Salon) -> None:
    remember(salon, "regular", tenant="other", avg_visit_interval=3)
    report = salon.activate()
    assert report.memories.left_elsewhere == 1
    assert read_memories(salon)["regular"]["avg_visit_interval"] == 3


def test_builds_are_not_asked_to_look_again(salon: Salon) -> None:
    remember(salon, "regular", preferred_staff_id="m9")
    salon.execute("truncate change_tracking.changed_clients")
    assert count_changed(salon.activate()) == 12
    assert salon.execute("select * from change_tracking.changed_clients") == []
    salon.execute("update user_ltm_v2 set preferred_staff_id = 'm1' where user_id = %s", [make_id("regular")])
    assert len(salon.execute("select * from change_tracking.changed_clients")) == 1


def test_a_run_that_dies_leaves_whole_batches_and_the_next_goes_on(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activation.memories.BATCH", 5)

    def die(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        activate(salon.url, as_of=NOON, is_applied=True, report=die)
    assert len(read_memories(salon)) == 5
    assert salon.outbox() == {}
    assert count_changed(salon.activate()) == 7
    assert len(salon.outbox("win_back")) == 5


def test_a_row_the_bot_is_writing_is_passed_over_and_nothing_of_it_is_lost(salon: Salon) -> None:
    remember(salon, "regular")
    remember(salon, "once")
    with psycopg.connect(salon.url) as bot:
        bot.execute('update user_ltm_v2 set ltm_data = \'{"likes": "coffee"}\' where user_id = %s', [make_id("once")])
        report = salon.activate()
    assert (report.memories.changed, report.memories.left_busy) == (11, 1)
    assert count_changed(salon.activate()) == 1
    memories = read_memories(salon)
    assert memories["once"]["ltm_data"] == {"likes": "coffee"}
    assert memories["once"]["churn_risk_score"] == Decimal("0.9")


def test_without_the_seeds_columns_the_cure_is_a_migration(salon: Salon) -> None:
    salon.execute("drop view if exists staging.stg_agent_p__client_memories cascade")
    salon.execute("alter table user_ltm_v2 drop column churn_risk_score")
    with pytest.raises(SetupError, match=r"churn_risk_score.*agentp migrate"):
        salon.activate(dry=True)
