"""What Dagster watches: wishes, problems to tell of, and runs that ended without being able to say so."""

import dagster as dg

from agentp.database import open_connection, resolve_url
from agentp.errors import AgentpError, ConnectionFailedError
from agentp.redaction import scrub
from agentp.settings import read_settings
from orchestration import history
from orchestration.defs.wishes import build_wish_sensor
from orchestration.schema import prepare_history, require_ours
from orchestration.tags import find_job
from systems.registry import has_step

TOLD = "outage told"
"""The cursor of the alerts' sensor while the database cannot be reached: its own ledger is there."""


def build_sensors() -> list[dg.SensorDefinition]:
    """Return the sensors; they read their settings when they tick, so that new receivers need no restart."""
    return [*([build_wish_sensor()] if has_step("wishes") else []), build_alerts(), build_failures()]


def build_alerts() -> dg.SensorDefinition:
    """Return the sensor that tells of problems and of their end, once each (issue 5, "Alerts through apprise")."""

    @dg.sensor(
        name="alerts", minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tell of failed runs, critical checks, late marts and silent salons, once each, and of their end.",
    )  # fmt: skip
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        from orchestration.alerts import send_alerts, tell_outage

        found = read_settings()
        urls = found.alerts.get_secret_value()
        try:
            report = send_alerts(resolve_url(found), found)
        except ConnectionFailedError as error:
            is_told = tell_outage(urls, error, told=context.cursor == TOLD)
            context.update_cursor(TOLD if is_told else "")
            return dg.SkipReason(scrub(str(error)))
        tell_outage(urls, None, told=context.cursor == TOLD)
        context.update_cursor("")
        for failure in report.failures:
            context.log.error(scrub(str(failure)))
        return dg.SkipReason(
            f"{len(report.opened)} problems are new, {len(report.closed)} are over; told of {report.told} and "
            f"{report.ends_told}."
        )

    return alerts


def build_failures() -> dg.SensorDefinition:
    """Return the sensor that notes failed runs whose own process could not: killed, or without a database to tell."""

    @dg.run_failure_sensor(
        name="failures", minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING,
        description="Note in quality.job_runs how runs ended whose process is gone.",
    )  # fmt: skip
    def failures(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        try:
            with open_connection(resolve_url(read_settings()), autocommit=True) as connection:
                require_ours(connection)
                prepare_history(connection)
                history.fail_run(
                    connection, run_id=run.run_id, job=find_job(run.job_name),
                    error=context.failure_event.message or "The run failed.",
                )  # fmt: skip
        except AgentpError as error:
            context.log.error(f"The end of run {run.run_id} could not be noted: {scrub(str(error))}")

    return failures
