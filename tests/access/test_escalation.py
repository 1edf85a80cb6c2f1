"""Whoever builds gains no right by it: no code of theirs runs with the rights of an owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from access.audit import audit_access
from access.grants import grant_access, revoke_access
from access.schema import prepare_roles
from agentp.cli import app
from agentp.database import open_connection
from agentp.errors import AgentpError, SetupError
from agentp.pipeline import open_build
from tests.agentp.conftest import RunCommand, run_command
from tests.conftest import name_database
from tests.support.marts import Workshop, make_id
from tests.support.readers import Login, drop_login, make_login
from tests.support.waiting import wait_until

__all__ = ["run_command"]
OURS = (
    "access", "analysis", "build", "change_tracking", "dashboard", "intermediate", "live", "quality", "scoring",
    "staging",
)  # fmt: skip
OPEN_TO_OTHERS: dict[str, str] = {}
"""Functions with their owner's rights that others may execute, each with the reason. None is."""
PREPARATION = (
    "create type scoring.trick as (word text)",
    "create function scoring.become(scoring.trick) returns uuid language plpgsql as $$ begin "
    "if to_regrole('{attacker}') is null then execute 'create role {attacker} superuser'; end if; return null; end $$",
    "create cast (scoring.trick as uuid) with function scoring.become(scoring.trick) as assignment",
    "create temporary table bait (id uuid, tenant_id uuid, user_id scoring.trick, metadata jsonb, "
    "preferred_staff_id text)",
)
TRIGGER = (
    "create trigger trap after insert on bait referencing new table as new_rows for each statement "
    "execute function change_tracking.{function}('user_id')"
)
SPRING = "insert into bait values (gen_random_uuid(), gen_random_uuid(), row('x')::scoring.trick)"
NOTERS = ("note_changed_clients", "note_changed_tenants", "note_changed_memories")


@pytest.fixture
def builder(workshop: Workshop) -> Iterator[Login]:
    """A login that builds; it goes with the test, and so do roles that it gained."""
    with psycopg.connect(workshop.url, autocommit=True) as owner:
        made = make_login(owner)
        grant_access(owner, made.name, role="builder", tenants=[])
        yield made
        revoke_access(owner, made.name, tenants=[])
        drop_login(owner, made)
        owner.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name_attacker(made))))


def name_attacker(builder: Login) -> str:
    return f"{builder.name}_gained"


def has_gained(workshop: Workshop, builder: Login) -> bool:
    return bool(workshop.execute("select 1 from pg_roles where rolname = %s", [name_attacker(builder)]))


@pytest.mark.parametrize("function", NOTERS)
def test_a_type_of_the_builders_own_gains_it_nothing(workshop: Workshop, builder: Login, function: str) -> None:
    with builder.connect(workshop.url) as session:
        for statement in PREPARATION:
            session.execute(statement.format(attacker=name_attacker(builder)).encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for function"):
            session.execute(TRIGGER.format(function=function).encode())
        # Nor where somebody has let it make triggers: the function reads raw tables alone, and types of Postgres' own.
        workshop.execute(f"grant execute on function change_tracking.{function}() to {builder.name}, agentp_builder")
        session.execute(TRIGGER.format(function=function).encode())
        session.execute(SPRING.encode())
    assert not has_gained(workshop, builder)
    assert workshop.execute("select 1 from change_tracking.unchecked_clients where tenant_id is null")


def test_a_raw_column_of_another_type_is_not_read_and_stops_no_bot(workshop: Workshop) -> None:
    workshop.add_dialogue()
    workshop.execute("create domain odd as uuid")
    workshop.execute("delete from change_tracking.changed_clients")
    workshop.execute("alter table user_ltm_v2 drop constraint user_ltm_v2_user_id_fkey")
    workshop.execute("alter table user_ltm_v2 alter column user_id type odd")
    workshop.execute(
        "insert into user_ltm_v2 (user_id, tenant_id) values (%s, %s)", [make_id("client"), make_id("salon")]
    )
    assert workshop.execute("select tenant_id, client_id from change_tracking.changed_clients") == [
        {"tenant_id": None, "client_id": None}
    ]


def test_every_function_with_its_owners_rights_has_its_path_and_no_caller(workshop: Workshop, builder: Login) -> None:
    found = workshop.execute(
        "select pg_proc.oid::regprocedure::text as name, coalesce(array_to_string(proconfig, ' '), '') as settings, "
        "(select count(*) from aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl "
        "where acl.grantee <> proowner) as callers "
        "from pg_proc join pg_namespace on pronamespace = pg_namespace.oid where prosecdef and nspname = any(%s)",
        [list(OURS)],
    )
    assert len(found) >= len(NOTERS)
    assert [row["name"] for row in found if "search_path=pg_catalog, pg_temp" not in row["settings"]] == []
    assert {row["name"] for row in found if row["callers"]} == set(OPEN_TO_OTHERS)


def test_who_builds_owns_nothing_of_what_says_who_may_read(workshop: Workshop, builder: Login) -> None:
    owned = workshop.execute(
        "select oid::regprocedure::text as name from pg_proc where pronamespace in ('access'::regnamespace, "
        "'change_tracking'::regnamespace) and proowner = 'agentp_builder'::regrole union all "
        "select nspname from pg_namespace where nspname in ('access', 'change_tracking') "
        "and nspowner = 'agentp_builder'::regrole union all select oid::regclass::text from pg_class "
        "where relnamespace in ('access'::regnamespace, 'change_tracking'::regnamespace) "
        "and relowner = 'agentp_builder'::regrole"
    )
    assert owned == []
    with builder.connect(workshop.url) as session:
        for statement in (
            "create or replace function access.has_roles() returns boolean language sql as 'select true'",
            "create function access.mine() returns integer language sql as 'select 1'",
            "create trigger mine after insert on access.logins for each row execute function scoring.mine()",
            "create policy mine on access.logins using (true)",
            "insert into access.logins values (gen_random_uuid(), 'x')",
            "alter function access.tenants() owner to agentp_builder", "drop schema access cascade",
            "create or replace function change_tracking.note_changed_clients() returns trigger language plpgsql "
            "as 'begin end'",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement.encode())


def test_what_an_older_version_gave_away_is_taken_back_and_made_anew(workshop: Workshop, builder: Login) -> None:
    with psycopg.connect(workshop.url, autocommit=True) as owner:
        for statement in (
            "alter schema access owner to agentp_builder", "alter table access.logins owner to agentp_builder",
            "alter function access.has_roles() owner to agentp_builder",
        ):  # fmt: skip
            owner.execute(statement.encode())
        with builder.connect(workshop.url) as session:
            for statement in (
                "create or replace function access.has_roles() returns boolean language sql stable as 'select true'",
                "create function access.give(text, text, text[]) returns void language sql as ''",
                "create function access.trap() returns trigger language plpgsql as 'begin return null; end'",
                "create trigger trap after insert on access.logins for each row execute function access.trap()",
            ):
                session.execute(statement.encode())
        assert {"access_not_owners", "code_of_builder"} <= {gap.problem for gap in audit_access(owner)}
        assert prepare_roles(owner) == []
        gaps = [gap for gap in audit_access(owner) if gap.problem in ("access_not_owners", "code_of_builder")]
        assert gaps == []
        row = owner.execute(
            "select count(*) filter (where proname = 'give'), count(*) filter (where proname = 'trap'), "
            "max(prosrc) filter (where proname = 'has_roles') like '%%obj_description%%' "
            "from pg_proc where pronamespace = 'access'::regnamespace",
        ).fetchone()
        assert row == (1, 0, True)


def test_no_owner_works_beside_functions_of_who_builds(workshop: Workshop, builder: Login) -> None:
    with builder.connect(workshop.url) as session:
        session.execute("create function scoring.mine() returns integer language sql as 'select 1'")
    with pytest.raises(SetupError, match=r"scoring\.mine\(\)"), open_build(workshop.url):
        pass
    with open_build(builder.find_url(workshop.url)):
        pass
    with psycopg.connect(workshop.url, autocommit=True) as owner:
        assert [gap.place for gap in audit_access(owner) if gap.problem == "code_of_builder"] == ["scoring.mine()"]
        owner.execute("drop function scoring.mine()")
    with open_build(workshop.url):
        pass


@pytest.mark.parametrize(
    ("statement", "call"),
    [
        ("create view scoring.trap as select lo_export(1, '/tmp/gained') as n", "lo_export(oid,text) in scoring.trap"),
        (
            "create view scoring.trap as select count(*) filter (where pg_advisory_lock(1) is null) as n from trapped",
            "pg_advisory_lock(bigint) in scoring.trap",
        ),
        ("alter table trapped alter word set default pg_read_file('x')", "pg_read_file(text) in scoring.trapped"),
        (
            "alter table trapped add check (set_config('app.x', word, false) <> '')",
            "set_config(text,text,boolean) in scoring.trapped",
        ),
        (
            "create policy trap on trapped using (query_to_xml(word, true, true, '') is null)",
            "query_to_xml(text,boolean,boolean,text) in scoring.trapped",
        ),
        (
            "create rule trap as on insert to trapped do also select pg_sleep(9)",
            "pg_sleep(double precision) in scoring.trapped",
        ),
        (
            "create domain scoring.trap as text check (pg_read_file(value) is null)",
            "pg_read_file(text) in scoring.trap",
        ),
        # Of this project's own functions, too, there are some that do what they are told.
        (
            "create view scoring.trap as select access.change('create role gained superuser')::text",
            "access.change(text) in scoring.trap",
        ),
        # What only an owner sees would stand in a mart.
        (
            "create view scoring.trap as select table_to_xml('pg_authid', true, true, '')",
            "table_to_xml(regclass,boolean,boolean,text) in scoring.trap",
        ),
        (
            "create view scoring.trap with (security_invoker = on) as select rolpassword from pg_authid",
            "pg_authid in scoring.trap",
        ),
        (
            "create policy trap on trapped using (word in (select rolpassword from pg_authid))",
            "pg_authid in scoring.trapped",
        ),
    ],
)  # fmt: skip
def test_no_owner_works_beside_what_calls_functions_that_do_something(
    workshop: Workshop, builder: Login, statement: str, call: str
) -> None:
    """A view calls with the rights of whoever reads it, and a superuser may write files; so may one read."""
    with builder.connect(workshop.url) as session:
        session.execute("set search_path = scoring; create table trapped (word text)")
        session.execute(statement.encode())
    with pytest.raises(SetupError) as refused, open_connection(workshop.url):
        pass
    assert f"not of this project: {call}." in refused.value.message
    with open_connection(builder.find_url(workshop.url)):
        pass


HOSTILE = ("x'; create role {role}; --", 'x"; create role {role}; --', "$$; create role {role}; --")
NOTED = (
    "update build.runs set definition = $text$%s$text$, finished_at = now() + interval '1 day'",
    "insert into build.declared_grants values ('dashboard', 'sessions', $text$%s$text$)",
)


def test_what_builds_have_noted_is_no_part_of_an_owners_statements(workshop: Workshop, builder: Login) -> None:
    """Who builds may have written anything there, and dbt writes statements of it."""
    workshop.add_dialogue()
    workshop.build()
    role = name_attacker(builder)
    with builder.connect(workshop.url) as session:
        for text in (found.format(role=role) for found in HOSTILE):
            session.execute((NOTED[0] % text).encode())
            session.execute((NOTED[1] % text).encode())
    with suppress(AgentpError):
        workshop.build_with_dbt(full_refresh=True)
    assert not has_gained(workshop, builder)
    assert workshop.execute("select 1 from build.declared_grants where role_name like '%create role%'") == []


REFUSED = (
    ("check",), ("build",), ("score",), ("activate",), ("repair", "sessions", "--apply"),
    ("report", "--out", "{folder}"), ("export", "--out", "{folder}"), ("backfill", "2026-01-01", "2026-01-02"),
    ("run", "--no-migrations"), ("forget", "--client", "11111111-1111-4111-8111-111111111111"), ("digest", "--dry-run"),
    ("alert",), ("dbt", "run"), ("dbt", "show", "--inline", "select 1"), ("dbt", "test"),
)  # fmt: skip
CAREFUL = (
    ("up",), ("doctor",), ("migrate",), ("load", "{folder}"), ("grant", "nobody_here", "--as", "chain"),
    ("revoke", "nobody_here"), ("logins",),
)  # fmt: skip
"""Commands that work on, and read nothing of what a builder has made."""
ELSEWHERE = frozenset({"url", "psql", "env", "stop", "demo", "prepare", "dev"})
"""Those that read no marts, or do by one of the others."""
TRAPPED = "select format('%I.%I', nspname, relname) from pg_class join pg_namespace on relnamespace = pg_namespace.oid "
TRAPPED += "where relkind = 'r' and nspname in ('build', 'quality', 'scoring') and relname not like 'lock\\_%'"


@pytest.fixture
def trapped(workshop: Workshop, builder: Login, superuser_url: str) -> Callable[[], int]:
    """All that builds note calls a function of the builder's; return how often it was called."""
    workshop.add_dialogue()
    workshop.build()
    database = str(conninfo_to_dict(workshop.url)["dbname"])
    with psycopg.connect(name_database(superuser_url, database), autocommit=True) as superuser:
        # Counted whatever becomes of the transaction.
        superuser.execute(sql.SQL("alter database {} set track_functions = 'all'").format(sql.Identifier(database)))
    with builder.connect(workshop.url) as session:
        session.execute("create function scoring.spring() returns boolean language plpgsql as 'begin return true; end'")
        for (place,) in session.execute(TRAPPED.encode()).fetchall():
            session.execute(
                f"alter table {place} rename to real; create view {place} as "
                f"select * from {place.split('.')[0]}.real where (select scoring.spring()); "
                f"alter table {place.split('.')[0]}.real rename to {place.split('.')[1]}_real".encode()
            )

    def count() -> int:
        # A session leaves what it counted when it ends.
        wait_until(
            workshop, "select not exists (select 1 from pg_stat_activity where datname = current_database() "
            "and (usename = %s or application_name like 'agentp%%'))", [builder.name],
        )  # fmt: skip
        found = workshop.execute("select calls::int from pg_stat_user_functions where funcname = 'spring'")
        return sum(row["calls"] for row in found)

    with builder.connect(workshop.url) as session:
        session.execute("select * from quality.runs, build.runs")
    assert count() > 0
    with psycopg.connect(name_database(superuser_url, database), autocommit=True) as superuser:
        superuser.execute("select pg_stat_reset()")
    return count


def test_every_command_is_refused_to_the_owner_beside_such_code_or_runs_none_of_it(
    workshop: Workshop, trapped: Callable[[], int], run_command: RunCommand, tmp_path: Path
) -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert names | {"repair"} == {command for command, *_ in (*REFUSED, *CAREFUL)} | ELSEWHERE
    (tmp_path / "folder").mkdir()
    for command in (*REFUSED, *CAREFUL):
        arguments = [part.format(folder=tmp_path / "folder") for part in command]
        answer = run_command(*arguments, database_url=workshop.url, report="false")
        if command in REFUSED:
            assert answer.code == 2, (command, answer.out, answer.err)
            assert "scoring.spring()" in answer.err, (command, answer.err)
        assert trapped() == 0, (command, answer.out, answer.err)
        if command == ("doctor",):
            assert "scoring.spring() is who builds' own" in answer.out
