"""What sensors see and ask for: wishes by cursor across restarts, problems told once, ends of runs that died."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from orchestration import history
from orchestration.defs.sensors import build_alerts, build_failures
from orchestration.defs.wishes import build_wish_sensor
from orchestration.history import RunStart
from orchestration.schema import prepare_history
from orchestration.tags import CURSOR, WISHES
from tests.orchestration.receivers import Webhook
from tests.support.jobs import run_job
from tests.support.marts import Workshop, make_id


@pytest.fixture
def deployed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A salon whose database the environment names, as it does where sensors tick."""
    workshop.add_tenant()
    workshop.add_client()
    monkeypatch.setenv("AGENTP_DATABASE_URL", workshop.url)
    monkeypatch.setenv("AGENTP_HOME", str(workshop.settings.home))
    return workshop


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A receiver of alerts that the settings name."""
    receiver = Webhook()
    receiver.start()
    monkeypatch.setenv("AGENTP_ALERTS", receiver.url)
    yield receiver
    receiver.stop()


def tick(sensor: dg.SensorDefinition, cursor: str | None, instance: dg.DagsterInstance) -> dg.SensorExecutionData:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        return sensor.evaluate_tick(context)


def add_wish(salons: Workshop, item: str) -> None:
    salons.insert(
        "wishlist_v2",
        [{"tenant_id": make_id("salon"), "user_id": make_id("client"), "item_type": "service", "item_id": item}],
    )


def react(salons: Workshop, seen: dg.SensorExecutionData) -> None:
    [request] = seen.run_requests or []
    assert run_job(salons, WISHES, tags={CURSOR: request.tags[CURSOR]}).success


def test_every_wish_is_asked_for_until_it_is_reacted_to_and_never_again(deployed: Workshop) -> None:
    sensor = build_wish_sensor()
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(sensor, None, instance)
        assert first.run_requests == []
        add_wish(deployed, "1")
        seen = tick(sensor, first.cursor, instance)
        # The run that was asked for never began: the next look asks again, with the cursor of the look before.
        again = tick(sensor, seen.cursor, instance)
        react(deployed, again)
        assert tick(sensor, again.cursor, instance).run_requests == []
        deployed.execute("update wishlist_v2 set item_id = '2'")
        react(deployed, tick(sensor, again.cursor, instance))
        # A restart that lost its cursor repeats nothing.
        assert tick(sensor, None, instance).run_requests == []
    [reaction] = deployed.execute("select changes_count from dashboard.wish_reactions")
    assert reaction["changes_count"] == 1
    assert len(deployed.execute("select * from quality.job_runs where job = 'wishes' and outcome = 'succeeded'")) == 2


def test_one_reaction_at_a_time_is_asked_for(deployed: Workshop, loaded: dg.Definitions) -> None:
    add_wish(deployed, "1")
    with dg.DagsterInstance.ephemeral() as instance:
        instance.create_run_for_job(loaded.resolve_job_def(WISHES), status=dg.DagsterRunStatus.STARTED)
        assert tick(build_wish_sensor(), None, instance).run_requests == []


def test_without_a_wishlist_the_sensor_says_so(deployed: Workshop) -> None:
    deployed.execute("drop table wishlist_v2 cascade")
    with dg.DagsterInstance.ephemeral() as instance:
        assert "wishlist_v2" in (tick(build_wish_sensor(), None, instance).skip_message or "")


def test_a_failed_run_is_told_once_and_its_mending_once(deployed: Workshop, webhook: Webhook) -> None:
    deployed.execute("alter table conversation_sessions_v2 rename column started_at to begun_at")
    assert not run_job(deployed, assets=["quality.rules"]).success
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            tick(build_alerts(), None, instance)
        told = len(webhook.posts)
        deployed.execute("alter table conversation_sessions_v2 rename column begun_at to started_at")
        assert run_job(deployed, assets=["quality.rules"]).success
        for _ in range(3):
            tick(build_alerts(), None, instance)
    assert (told, len(webhook.posts)) == (1, 2)
    assert "can_be_built_from" in webhook.posts[0][1]["message"]


def test_a_database_that_is_gone_is_told_once_and_so_is_its_return(
    deployed: Workshop, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = None
    with dg.DagsterInstance.ephemeral() as instance:
        with monkeypatch.context() as patch:
            patch.setenv("AGENTP_DATABASE_URL", "postgresql://bot:hidden@127.0.0.1:1/nowhere")
            for _ in range(3):
                cursor = tick(build_alerts(), cursor, instance).cursor
        gone = len(webhook.posts)
        for _ in range(3):
            cursor = tick(build_alerts(), cursor, instance).cursor
    assert (gone, len(webhook.posts)) == (1, 2)
    assert "hidden" not in webhook.bodies


def test_how_a_run_ended_whose_process_is_gone_is_noted(deployed: Workshop, loaded: dg.Definitions) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(loaded.resolve_job_def(WISHES))
        from agentp.database import open_connection

        with open_connection(deployed.url, autocommit=True) as connection:
            prepare_history(connection)
            start = RunStart(run_id=run.run_id, job=WISHES, started_by="sensor", as_of="2026-02-28")
            history.open_run(connection, start, alone_among=[WISHES])
            history.open_step(connection, run_id=run.run_id, step="wish_reactions", attempt=1)
        instance.report_run_failed(run, "The worker is gone.")
        record = instance.get_run_by_id(run.run_id)
        [event] = [
            entry.dagster_event for entry in instance.all_logs(run.run_id)
            if entry.dagster_event and entry.dagster_event.is_failure
        ]  # fmt: skip
        assert record is not None
        context = dg.build_run_status_sensor_context(
            sensor_name="failures", dagster_instance=instance, dagster_run=record, dagster_event=event
        ).for_run_failure()
        build_failures()(context)
    [kept] = deployed.execute("select outcome, error from quality.job_runs")
    assert kept == {"outcome": "died", "error": "The worker is gone."}
    assert deployed.execute("select outcome from quality.job_steps") == [{"outcome": "died"}]
