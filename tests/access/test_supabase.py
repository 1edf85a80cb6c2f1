"""On a Supabase: a database whose owner makes roles and is no superuser, with Supabase's own roles beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from access.audit import audit_access
from access.grants import drop_roles, grant_access, read_standings, revoke_access
from access.schema import prepare_roles
from agentp.database import open_connection
from agentp.errors import RawTablesError, SetupError
from agentp.settings import Settings
from sources.sight import require_sight
from tests.access.lints import KNOWN, LINTS, PREPARATION
from tests.conftest import name_database
from tests.support.marts import Workshop, make_id
from tests.support.readers import Login, make_login, make_owner

SUPABASE = {
    "anon": "nologin noinherit", "authenticated": "nologin noinherit", "service_role": "nologin noinherit bypassrls",
    "authenticator": "noinherit", "supabase_realtime_admin": "noinherit",
}  # fmt: skip
RAW = (
    "tenants_v2", "clients_v2", "active_sessions_v2", "conversation_sessions_v2", "recent_history_v2", "wishlist_v2",
    "user_ltm_v2",
)  # fmt: skip
API = "dashboard, public"
"""The schemas that PostgREST is told to show."""


@dataclass
class Project:
    """A Supabase project: its database as the owner has it, and logins that were let in."""

    workshop: Workshop
    owner: str
    builder: Login
    reader: Login
    analyst: Login
    realtime: Login
    token: Login


@pytest.fixture(scope="module")
def project(superuser_url: str, make_database: Callable[[str | None], str], home: Path) -> Iterator[Project]:
    """Two salons, migrated, built and shared out by an owner who is no superuser."""
    database = str(conninfo_to_dict(make_database(None))["dbname"])
    url = name_database(superuser_url, database)
    with psycopg.connect(url, autocommit=True) as superuser:
        owner = make_owner(superuser, f"owner_{secrets.token_hex(4)}")
        make_supabase(superuser, owner.name, database)
        realtime, token = (make_login(superuser, name) for name in ("supabase_realtime_admin", "authenticator"))
    own = owner.find_url(url)
    workshop = Workshop(url=own, settings=Settings(home=home, database_url=own, report=False))
    assert workshop.migrate() == []
    fill(workshop)
    workshop.check()
    workshop.build()
    with psycopg.connect(own, autocommit=True) as connection:
        builder, reader, analyst = (make_login(connection) for _ in range(3))
        grant_access(connection, builder.name, role="builder", tenants=[])
        grant_access(connection, reader.name, role="reader", tenants=["salon"])
        grant_access(connection, analyst.name, role="analyst", tenants=[])
    realtime.role = token.role = "authenticated"
    yield Project(workshop, owner.name, builder, reader, analyst, realtime, token)
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))
        for login in (builder, reader, analyst, owner):
            superuser.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(login.name)))


def make_supabase(superuser: psycopg.Connection[object], owner: str, database: str) -> None:
    """Make the database a Supabase project's: its roles, its schema for extensions, its open `public`."""
    name = sql.Identifier(owner)
    for role, options in SUPABASE.items():
        if superuser.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is None:
            superuser.execute(f"create role {role} {options}".encode())
    superuser.execute("alter role service_role bypassrls")
    superuser.execute("grant anon, authenticated, service_role to authenticator")
    superuser.execute("grant authenticated to supabase_realtime_admin")
    superuser.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(database), name))
    superuser.execute(sql.SQL("create schema extensions authorization {}").format(name))
    superuser.execute("grant usage on schema public, extensions to anon, authenticated, service_role")
    superuser.execute(
        sql.SQL(
            "alter default privileges for role {} in schema public "
            "grant all on tables to anon, authenticated, service_role"
        ).format(name)
    )


def fill(workshop: Workshop) -> None:
    for name in ("salon", "far"):
        workshop.add_tenant(name, slug=name)
        workshop.add_client(name, f"{name} client")
        workshop.add_session(
            f"{name} visit", "2026-02-01 10:00+00", "2026-02-01 10:20+00", tenant=name, client=f"{name} client"
        )
        workshop.add_message(
            len(name), "2026-02-01 10:00+00", session=f"{name} visit", tenant=name, client=f"{name} client"
        )


def see_tenants(login: Login, url: str, relation: str = "dashboard.sessions") -> list[str]:
    with login.connect(url) as session:
        rows = session.execute(f"select distinct tenant_id::text from {relation} order by 1".encode()).fetchall()
    return [tenant for (tenant,) in rows]


def test_an_owner_who_is_no_superuser_lets_in_and_takes_away(project: Project) -> None:
    url = project.workshop.url
    both = sorted(str(make_id(name)) for name in ("salon", "far"))
    assert see_tenants(project.reader, url) == [str(make_id("salon"))]
    assert see_tenants(project.analyst, url, "analysis.sessions") == both
    assert see_tenants(project.analyst, url, "analysis.win_back") == []
    with psycopg.connect(url, autocommit=True) as owner:
        assert audit_access(owner) == []
        standings = {standing.login: standing.roles for standing in read_standings(owner)}
        assert standings[project.builder.name] == ("builder",)
        revoke_access(owner, project.reader.name, tenants=[])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            see_tenants(project.reader, url)
        grant_access(owner, project.reader.name, role="reader", tenants=["salon"])
    assert see_tenants(project.reader, url) == [str(make_id("salon"))]


def test_its_builder_sees_every_raw_row_and_builds(project: Project) -> None:
    own = Workshop(url=project.builder.find_url(project.workshop.url), settings=project.workshop.settings)
    assert len(own.execute("select id from clients_v2")) == 2
    own.check()
    changes = own.build(full_refresh=True)
    assert changes["sessions"].rows == 2
    assert see_tenants(project.reader, project.workshop.url) == [str(make_id("salon"))]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        own.execute("update clients_v2 set full_name = 'x'")


def test_its_owner_migrates_on_and_writes_raw_rows_beside_a_builder_who_may_not(project: Project) -> None:
    assert project.workshop.migrate() == []
    with open_connection(project.workshop.url) as owner:
        require_sight(owner, is_written=True)
    with open_connection(project.builder.find_url(project.workshop.url)) as builder:
        require_sight(builder)
        with pytest.raises(RawTablesError, match="from agentp_builder"):
            require_sight(builder, is_written=True)


def test_tables_that_are_made_are_nobodys_with_the_public_key(project: Project) -> None:
    with psycopg.connect(project.workshop.url) as owner:
        row = owner.execute(
            "select array_agg(relname::text order by relname) filter (where relrowsecurity), count(*) from pg_class, "
            "unnest(array['anon', 'authenticated']) as role, "
            "unnest(array['select', 'insert', 'update', 'delete']) as act "
            "where relnamespace = 'public'::regnamespace and relkind = 'r' and has_table_privilege(role, oid, act)"
        ).fetchone()
        assert row == (None, 0)
        secured = owner.execute(
            "select count(*) from pg_class where relname = any(%s) and relrowsecurity", (list(RAW),)
        ).fetchone()
        assert secured == (len(RAW),)
        # What bots have made stays as they made it, and one line says what is open, with one cure.
        owner.execute("grant select, update on clients_v2, wishlist_v2 to anon; grant select on tenants_v2 to public")
        owner.execute("alter table clients_v2 disable row level security")
        owner.execute("alter table wishlist_v2 disable row level security")
        [gap] = audit_access(owner)
        assert (gap.problem, gap.place) == ("raw_readable", "clients_v2, tenants_v2, wishlist_v2")
        assert "anon" in gap.detail
        owner.rollback()


@pytest.mark.parametrize("name", ["token", "realtime"])
def test_claims_name_the_salons_in_sessions_of_postgrest_and_realtime(project: Project, name: str) -> None:
    login: Login = getattr(project, name)
    for claims, seen in (
        (f'{{"tenant_ids": ["{make_id("far")}"]}}', [str(make_id("far"))]), ("", []), ('{"tenant_ids": ["x"]}', []),
    ):  # fmt: skip
        session = Login(login.name, login.password, login.role, {"request.jwt.claims": claims})
        assert see_tenants(session, project.workshop.url) == seen


def test_a_reader_who_may_become_authenticated_is_told_of(project: Project, superuser_url: str) -> None:
    grant = sql.SQL("{} authenticated {} {}")
    name = sql.Identifier(project.reader.name)
    with psycopg.connect(superuser_url, autocommit=True) as superuser, psycopg.connect(project.workshop.url) as owner:
        superuser.execute(grant.format(sql.SQL("grant"), sql.SQL("to"), name))
        gaps = audit_access(owner)
        superuser.execute(grant.format(sql.SQL("revoke"), sql.SQL("from"), name))
    assert [(gap.problem, gap.place) for gap in gaps] == [("names_itself", project.reader.name)]


def test_a_server_with_the_secret_key_is_a_bot_of_every_salon_or_nothing(project: Project) -> None:
    with psycopg.connect(project.workshop.url, autocommit=True) as owner:
        for role, tenants in (("reader", ["salon"]), ("bot", ["salon"]), ("chain", [])):
            with pytest.raises(SetupError, match="above row level security"):
                grant_access(owner, "service_role", role=role, tenants=tenants)
        assert grant_access(owner, "service_role", role="bot", tenants=[]).roles == ("bot",)
        assert "service_role" in [standing.login for standing in read_standings(owner)]
        assert audit_access(owner) == []
    service = Login(project.token.name, project.token.password, "service_role")
    with service.connect(project.workshop.url) as session:
        session.execute("select count(*) from dashboard.outbox")
        session.execute("update dashboard.outbox set status = 'sent', sent_at = now()")
        for statement in ("select count(*) from dashboard.sessions", "delete from dashboard.outbox"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement.encode())
    with psycopg.connect(project.workshop.url, autocommit=True) as owner:
        assert revoke_access(owner, "service_role", tenants=[]).roles == ()
    with (
        service.connect(project.workshop.url) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute("select count(*) from dashboard.outbox")


def test_extensions_stand_in_their_own_schema(project: Project) -> None:
    found = project.workshop.execute(
        "select extname::text as name, extnamespace::regnamespace::text as place from pg_extension "
        "where extname <> 'plpgsql' order by 1"
    )
    assert found == [{"name": "btree_gin", "place": "extensions"}, {"name": "pg_trgm", "place": "extensions"}]
    indexes = project.workshop.execute("select 1 from pg_indexes where indexname = 'clients_search_client_name'")
    assert len(indexes) == 1, "and the index for search is made by who builds all the same"


@pytest.mark.parametrize("name", LINTS)
def test_what_its_linter_looks_for_is_not_there(project: Project, name: str) -> None:
    with psycopg.connect(project.workshop.url) as owner:
        owner.execute(PREPARATION.encode())
        found = {place for (place,) in owner.execute(LINTS[name].encode(), {"api": API.split(", ")}).fetchall()}
    assert found - set(KNOWN.get(name, {})) == set()


def test_its_roles_go_again(project: Project) -> None:
    with psycopg.connect(project.workshop.url, autocommit=True) as owner:
        drop_roles(owner)
        traces = owner.execute(
            "select count(*) from pg_class, aclexplode(relacl) as acl "
            "where pg_get_userbyid(acl.grantee) like 'agentp\\_%'"
        ).fetchone()
        assert traces == (0,)
        assert prepare_roles(owner) == []
