"""Row security on the raw tables, which hides rows without a word, stops whatever would take them for gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from access.forgetting import forget
from activation.runs import activate
from activation.wishes import look_for_wishes, react_to_wishes
from agentp import pipeline
from agentp.errors import AgentpError, RawTablesError
from agentp.forgetting import ReportSite
from agentp.settings import Settings
from orchestration.digests import send_digests
from reports.audiences import Audience
from reports.site import write_site
from sources.sight import find_hidden_tables, hold_marts, require_sight
from systems.agent_p.repairs import repair_sessions
from tests.agentp.conftest import RunCommand, run_command
from tests.support.jobs import run_job
from tests.support.marts import Workshop, make_id
from tests.support.readers import Login, make_login

__all__ = ["run_command"]
TABLES = (
    "tenants_v2", "clients_v2", "active_sessions_v2", "conversation_sessions_v2", "recent_history_v2", "wishlist_v2",
    "user_ltm_v2",
)  # fmt: skip
PRESENT = datetime(2026, 2, 28, 12, tzinfo=UTC)


@pytest.fixture
def guarded(raw_workshop: Workshop) -> Iterator[tuple[Workshop, Login]]:
    """Raw tables with row security, as Supabase's linter demands it, and a login that may read and change them."""
    with guard(raw_workshop) as login:
        yield raw_workshop, login


@pytest.fixture
def built_guarded(workshop: Workshop) -> Iterator[tuple[Workshop, Login]]:
    """The same beside marts that stand."""
    with guard(workshop) as login:
        workshop.build()
        yield workshop, login


@contextmanager
def guard(workshop: Workshop) -> Iterator[Login]:
    """Put row security on the raw tables of a dialogue; yield the login, which goes in the end."""
    workshop.add_dialogue()
    with psycopg.connect(workshop.url, autocommit=True) as connection:
        login = make_login(connection)
        name = sql.Identifier(login.name)
        for table in TABLES:
            connection.execute(
                sql.SQL("alter table {table} enable row level security; grant all on {table} to {name}").format(
                    table=sql.Identifier(table), name=name
                )
            )
        connection.execute(
            sql.SQL(
                "grant create on database {} to {name}; grant all on schema change_tracking to {name}; "
                "grant all on all tables in schema change_tracking to {name}"
            ).format(sql.Identifier(connection.info.dbname), name=name)
        )
        yield login
        connection.execute(sql.SQL("drop owned by {name} cascade; drop role {name}").format(name=name))


def allow(workshop: Workshop, login: Login, condition: str, *, command: str = "all", sort: str = "permissive") -> None:
    """Give the login a policy on every raw table."""
    for table in TABLES:
        workshop.execute(
            f'create policy "{uuid4()}" on {table} as {sort} for {command} to {login.name} using ({condition})'
        )


def hidden(workshop: Workshop, login: Login, *, is_written: bool = False) -> set[str]:
    with login.connect(workshop.url) as session:
        return {found.table for found in find_hidden_tables(session, is_written=is_written)}


def test_only_a_policy_that_shows_everything_is_trusted(guarded: tuple[Workshop, Login]) -> None:
    workshop, login = guarded
    assert find_hidden_tables(psycopg.connect(workshop.url)) == []
    assert hidden(workshop, login) == set(TABLES)
    # A policy for one salon, which happens to be all that there is, on the table that has the salons.
    workshop.execute(f"create policy one on tenants_v2 to {login.name} using (id = '{make_id('salon')}')")
    assert hidden(workshop, login) == set(TABLES)
    allow(workshop, login, "true", command="select")
    assert (hidden(workshop, login), hidden(workshop, login, is_written=True)) == (set(), set(TABLES))
    allow(workshop, login, "true")
    assert hidden(workshop, login, is_written=True) == set()
    workshop.execute("create policy narrow on clients_v2 as restrictive using (full_name is not null)")
    assert hidden(workshop, login) == {"clients_v2"}
    workshop.execute(f"alter role {login.name} bypassrls")
    assert hidden(workshop, login) == set()
    with login.connect(workshop.url) as session:
        require_sight(session)


def test_the_owner_is_held_where_it_is_forced_and_so_are_live_views_by_their_owner(
    guarded: tuple[Workshop, Login],
) -> None:
    workshop, login = guarded
    workshop.execute(f"alter table wishlist_v2 owner to {login.name}")
    assert "wishlist_v2" not in hidden(workshop, login)
    workshop.execute("alter table wishlist_v2 force row level security")
    assert "wishlist_v2" in hidden(workshop, login)
    workshop.execute("create schema staging")
    workshop.execute("create view staging.stg_agent_p__wishes as select * from wishlist_v2")
    workshop.execute(f"alter view staging.stg_agent_p__wishes owner to {login.name}")
    with psycopg.connect(workshop.url) as connection, pytest.raises(RawTablesError, match=login.name):
        require_sight(connection, through_views=True)


ENTRIES: dict[str, Callable[[Settings, str], object]] = {
    "check": lambda settings, url: pipeline.check(settings, url),
    "build": lambda settings, url: pipeline.build(settings, url),
    "score": lambda settings, url: pipeline.score(url, as_of="2026-02-28"),
    "test": lambda settings, url: pipeline.check_marts(settings, url),
    "activate": lambda settings, url: activate(url, as_of=PRESENT, is_applied=True),
    "wishes": lambda settings, url: react_to_wishes(url, as_of=PRESENT, cursor=None, is_applied=True),
    "repair": lambda settings, url: repair_sessions(url),
    "migrate": lambda settings, url: pipeline.migrate(
        url, with_change_tracking=True, report=lambda line: None
    ),
    "forget": lambda settings, url: forget(
        settings, url, client_id=uuid4(), tenant=None, site=ReportSite(folder=Path("/nowhere"), url=url, processes=1)
    ),
}  # fmt: skip


@pytest.mark.parametrize("condition", ["false", f"tenant_id = '{make_id('salon')}'"])
def test_nothing_works_by_a_login_from_which_rows_may_be_hidden(
    guarded: tuple[Workshop, Login], condition: str
) -> None:
    workshop, login = guarded
    workshop.execute(f"create policy all_of_it on tenants_v2 to {login.name} using (true)")
    for table in TABLES[1:]:
        workshop.execute(f"create policy a_part on {table} to {login.name} using ({condition})")
    url = login.find_url(workshop.url)
    schemas = "select array_agg(nspname::text order by 1) as names from pg_namespace"
    before = workshop.execute(schemas)
    for name, work in ENTRIES.items():
        with pytest.raises(AgentpError) as refusal:
            work(workshop.settings, url)
        assert refusal.value.exit_code == 2, name
        for part in ("Row security may hide rows", "public.clients_v2", login.name):
            assert part in refusal.value.message, name
        assert "bypassrls" in refusal.value.cure
    with login.connect(workshop.url) as session, pytest.raises(RawTablesError):
        look_for_wishes(session, None)
    assert workshop.execute(schemas) == before


def test_a_run_is_refused_with_2_and_doctor_names_the_tables(
    built_guarded: tuple[Workshop, Login], run_command: RunCommand
) -> None:
    workshop, login = built_guarded
    before = workshop.read_marts()
    workshop.execute(f"grant all on schema quality, build, dashboard, staging, access to {login.name}")
    workshop.execute(f"grant all on all tables in schema quality, build, dashboard, staging, access to {login.name}")
    url = login.find_url(workshop.url)
    answer = run_command("run", "--as-of", "2026-02-28", "--no-migrations", database_url=url)
    assert answer.code == 2, answer.out
    assert "Row security may hide rows" in answer.err
    assert f'alter role "{login.name}" bypassrls' in answer.err
    doctor = run_command("doctor", database_url=url)
    assert doctor.code == 2
    for table in TABLES:
        assert f"Row security may hide rows of public.{table} from {login.name}" in doctor.out
    assert workshop.read_marts() == before


def test_steps_of_the_scheduler_go_through_the_same_refusal(
    built_guarded: tuple[Workshop, Login], tmp_path: Path
) -> None:
    workshop, login = built_guarded
    # The marts belong to who builds, whom a policy shows nothing: then live views are empty for everybody.
    workshop.execute(f"alter view staging.stg_agent_p__wishes owner to {login.name}")
    run = run_job(workshop)
    assert not run.success
    assert {type(error) for error in run.listener.failures.values()} == {RawTablesError}
    assert run.find_materializations() == {}
    with pytest.raises(RawTablesError, match="Row security"):
        write_site(workshop.url, tmp_path / "site", audience=Audience.OWNER, processes=1)
    settings = workshop.settings.model_copy(update={"digests": type(workshop.settings.digests)("json://127.0.0.1:1")})
    with pytest.raises(RawTablesError, match="Row security"):
        send_digests(workshop.url, settings)


def test_whoever_holds_the_build_lock_holds_it_by_the_one_way_that_looks() -> None:
    root = Path(__file__).resolve().parents[2]
    callers = {
        str(path.relative_to(root))
        for room in ("agentp", "sources", "expectations", "orchestration", "activation", "access", "reports", "scoring")
        for path in (root / room).rglob("*.py")
        if "hold_build_lock(" in path.read_text(encoding="utf-8")
    }
    assert callers == {"agentp/locks.py", "sources/sight.py"}
    assert hold_marts.__doc__


def test_the_demo_can_have_row_security_and_shows_what_it_hides(run_command: RunCommand, database_url: str) -> None:
    made = run_command("demo", "--sessions", "5", "--row-security", database_url=database_url)
    assert made.code == 0, made.err
    assert run_command("check", "--as-of", "2026-10-31", database_url=database_url).code in (0, 1)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert find_hidden_tables(connection) == []
        login = make_login(connection)
        answer = run_command("check", database_url=login.find_url(database_url))
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login.name)))
    assert answer.code == 2
    for table in TABLES:
        assert f"public.{table}" in answer.err
