"""Faults that pass are tried again, with longer and longer pauses; all others are not."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from agentp import pipeline
from agentp.errors import BuildError, ConnectionFailedError
from orchestration.faults import find_delay, is_passing
from tests.support.jobs import run_job
from tests.support.marts import Workshop

errors = psycopg.errors
GATE = ["quality.rules"]


@pytest.mark.parametrize(
    "error",
    [
        errors.DeadlockDetected("deadlock detected"), errors.SerializationFailure("could not serialize access"),
        errors.AdminShutdown("terminating connection"), errors.TooManyConnections("too many"),
        errors.LockNotAvailable("canceling statement due to lock timeout"), errors.ConnectionFailure("gone"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
        BuildError("sessions failed: deadlock detected.", cure="…"),
        errors.InternalError_("tuple concurrently updated"),
        BuildError("sessions failed: обнаружена взаимоблокировка.", cure="…"),
        BuildError('dbt failed: connection to server at "127.0.0.1", port 1 failed: Connection refused.', cure="…"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_passes_is_recognised(error: Exception) -> None:
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.UndefinedColumn("column begun_at does not exist"), errors.UniqueViolation("duplicate key"),
        errors.InsufficientPrivilege("permission denied"), errors.SyntaxError("syntax error"),
        errors.InvalidPassword("password authentication failed"), errors.QueryCanceled("statement timeout"),
        errors.DiskFull("could not extend file"), ValueError("no number"),
        BuildError("sessions failed: division by zero.", cure="…"),
        psycopg.OperationalError('FATAL: database "nowhere" does not exist'),
        psycopg.OperationalError("failed to resolve host 'nowhere'"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_does_not_pass_is_recognised(error: Exception) -> None:
    assert not is_passing(error)


def test_a_connection_that_failed_is_judged_by_what_the_server_said() -> None:
    for text, passes in (("server closed the connection", True), ("password authentication failed", False)):
        error = ConnectionFailedError("No connection.", cure="…")
        error.__cause__ = psycopg.OperationalError(text)
        assert is_passing(error) is passes


def test_pauses_double_up_to_an_hour() -> None:
    assert [find_delay(attempt, first_seconds=10) for attempt in (1, 2, 3, 4, 20)] == [10, 20, 40, 80, 3600]


def fail_at_first(monkeypatch: pytest.MonkeyPatch, found: list[Exception]) -> None:
    """Let the gate meet the faults, one an attempt, before it does its work."""
    check = pipeline.check

    def stumble(*arguments: Any, **options: Any) -> Any:
        if found:
            raise found.pop(0)
        return check(*arguments, **options)

    monkeypatch.setattr(pipeline, "check", stumble)


def read_attempts(salons: Workshop) -> list[tuple[int, str]]:
    rows = salons.execute(
        "select attempt, outcome from quality.job_steps where step = 'data_standard' order by attempt"
    )
    return [(row["attempt"], row["outcome"]) for row in rows]


def test_a_step_is_tried_again_after_a_deadlock_and_the_run_succeeds(
    salons: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at_first(monkeypatch, [errors.DeadlockDetected("deadlock detected"), errors.SerializationFailure("could not")])
    assert run_job(salons, assets=GATE).success
    assert read_attempts(salons) == [(1, "retried"), (2, "retried"), (3, "succeeded")]


def test_a_fault_that_does_not_pass_is_not_tried_again(salons: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at_first(monkeypatch, [errors.UniqueViolation("duplicate key\nDETAIL: Key (phone)=(+79001234567)")])
    run = run_job(salons, assets=GATE)
    assert not run.success
    assert read_attempts(salons) == [(1, "failed")]
    [history] = salons.execute("select outcome, error from quality.job_runs")
    assert history == {"outcome": "failed", "error": "data_standard: duplicate key"}


def test_attempts_end(salons: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_at_first(monkeypatch, [errors.DeadlockDetected("deadlock detected") for _ in range(9)])
    assert not run_job(salons, assets=GATE).success
    assert [outcome for _, outcome in read_attempts(salons)] == ["retried", "retried", "retried", "failed"]


def test_dbt_is_tried_again_when_its_connection_is_cut(built_salons: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger of ours cuts the first build's connection, as a server that is restarted does."""
    built_salons.execute("create sequence cuts")
    built_salons.execute(
        "create function cut() returns trigger language plpgsql as $$ begin "
        "if nextval('cuts') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if; return null; end $$"
    )
    built_salons.execute("create trigger cut after update on dashboard.sessions execute function cut()")
    built_salons.execute("update conversation_sessions_v2 set booking_amount = 1700 where booking_id = 'far-9'")
    assert run_job(built_salons, assets=["+dashboard.sessions"]).success
    attempts = built_salons.execute(
        "select outcome from quality.job_steps where step = 'marts' order by started_at desc, attempt desc limit 2"
    )
    assert [attempt["outcome"] for attempt in attempts] == ["succeeded", "retried"]
    [session] = built_salons.execute("select booking_amount from dashboard.sessions where booking_id = 'far-9'")
    assert session["booking_amount"] == 1700
