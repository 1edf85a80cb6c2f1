"""Each model and each test of dbt has its limits on the connection it runs on (issue 7, "The connection")."""

from __future__ import annotations

import psycopg
import pytest

from agentp.database import open_connection
from agentp.errors import BuildError
from agentp.project import run_dbt
from orchestration.faults import is_passing
from tests.support.marts import AS_OF, Workshop

ASKED = "'statement ' || current_setting('statement_timeout') || ', lock ' || current_setting('lock_timeout')"


@pytest.fixture
def built(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A salon with a dialogue, built, and limits that nobody else has."""
    workshop.add_dialogue()
    workshop.build()
    monkeypatch.setenv("AGENTP_STATEMENT_TIMEOUT_MINUTES", "7")
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "3")
    return workshop


def note_limits(workshop: Workshop) -> None:
    """Note under which limits dbt's sessions insert, and under which they read a mart."""
    workshop.execute("create table public.limits_seen (seen text, backend int)")
    workshop.execute(
        "create function public.note_limits() returns trigger language plpgsql as $$ begin "
        f"insert into public.limits_seen values ({ASKED}, pg_backend_pid()); return null; end $$"
    )
    workshop.execute(
        "create trigger note_limits after insert on build.model_runs for each statement "
        "execute function public.note_limits()"
    )


def test_every_model_runs_under_the_limits_on_whichever_connection(built: Workshop) -> None:
    note_limits(built)
    built.build(full_refresh=True)
    seen = built.execute("select seen, count(*) as n, count(distinct backend) as backends from limits_seen group by 1")
    assert [row["seen"] for row in seen] == ["statement 7min, lock 3s"]
    assert seen[0]["n"] > 10
    assert seen[0]["backends"] >= 2


def test_every_data_test_runs_under_the_limits(built: Workshop) -> None:
    built.execute("create sequence public.looks")
    built.execute("create table public.limits_seen (seen text, backend int)")
    # What a test reads tells of the session that reads it; a table cannot be written by what is to be a select.
    built.execute("alter table dashboard.sessions rename to sessions_kept")
    built.execute(
        "create function public.tell() returns boolean language plpgsql volatile as $$ begin "
        f"raise warning 'seen %', {ASKED}; perform nextval('public.looks'); "
        "if current_setting('lock_timeout') <> '3s' or current_setting('statement_timeout') <> '7min' then "
        "raise exception 'read without limits'; end if; return true; end $$"
    )
    built.execute("create view dashboard.sessions as select * from dashboard.sessions_kept where public.tell()")
    outcome = run_dbt(built.settings, built.url, "test", "--select", "sessions,test_type:data", as_of=AS_OF)
    assert outcome.errors == []
    assert outcome.succeeded > 3
    assert built.execute("select last_value as n from public.looks")[0]["n"] > 3


def test_a_mart_that_somebody_holds_fails_the_build_and_another_attempt_may_succeed(
    built: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "0.3")
    built.add_message(2, "2026-02-01 10:01+00", session="visit")
    with psycopg.connect(built.url) as holder:
        # Lest a build that does wait waits for ever.
        holder.execute("set idle_in_transaction_session_timeout = '60s'")
        holder.execute("lock table dashboard.dialogs in row exclusive mode")
        with pytest.raises(BuildError, match="canceling statement due to lock timeout") as caught:
            built.build(select="dialogs")
    assert is_passing(caught.value)
    assert built.build(select="dialogs")["dialogs"].inserted == 1


def test_a_fault_in_the_start_of_the_build_says_its_reason_and_may_be_tried_again(
    built: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "0.3")
    with psycopg.connect(built.url) as holder:
        holder.execute("set idle_in_transaction_session_timeout = '20s'")
        holder.execute("lock table build.runs in share mode")
        with pytest.raises(BuildError, match=r"The start of the build failed: .*lock timeout; held by pid") as caught:
            built.build_with_dbt(select="dialogs")
    assert is_passing(caught.value)
    assert built.build(select="dialogs")


def test_a_statement_that_takes_too_long_ends_and_is_not_tried_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTP_STATEMENT_TIMEOUT_MINUTES", "0.005")
    with (
        pytest.raises(psycopg.errors.QueryCanceled) as caught,
        open_connection(workshop.url) as connection,
    ):
        connection.execute("select pg_sleep(20)")
    assert not is_passing(caught.value)
    assert not is_passing(BuildError(f"sessions failed: {caught.value}.", cure="…"))
