"""`agentp grant` and `revoke`: who may read what, and no more; roles that are made again, and dropped cleanly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from access.audit import audit_access
from access.grants import ALL_ROLES, Standing, drop_roles, grant_access, read_standing, read_standings, revoke_access
from access.schema import prepare_roles
from agentp import pipeline
from agentp.errors import AgentpError
from tests.access.conftest import PERSON, Chain
from tests.support.marts import Workshop
from tests.support.readers import Login, list_relations, make_login, read_everything

TENANTS = "select array_agg(distinct tenant_id::text order by tenant_id::text) from dashboard.sessions"


@pytest.fixture
def login(chain: Chain) -> Iterator[Login]:
    """A login without rights, which goes with the test."""
    with psycopg.connect(chain.url, autocommit=True) as connection:
        made = make_login(connection)
        yield made
        revoke_access(connection, made.name, tenants=[])
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(made.name)))


def see_tenants(login: Login, url: str) -> list[str] | None:
    """Return the salons whose sessions a login sees, None where it may not look."""
    with login.connect(url) as connection:
        try:
            row = connection.execute(TENANTS).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            return None
    return (row and row[0]) or []


def test_salons_are_given_and_taken_one_by_one(chain: Chain, login: Login) -> None:
    first, second, *_ = chain.tenants
    with psycopg.connect(chain.url, autocommit=True) as owner:
        assert grant_access(owner, login.name, role="reader", tenants=[first.upper(), second]) == Standing(
            login=login.name, roles=("reader",), tenants=tuple(sorted([first, second]))
        )
        assert see_tenants(login, chain.url) == sorted([first, second])
        grant_access(owner, login.name, role="reader", tenants=[first])
        revoke_access(owner, login.name, tenants=[second])
        assert see_tenants(login, chain.url) == [first]
        assert login.name in [standing.login for standing in read_standings(owner)]
        assert revoke_access(owner, login.name, tenants=[first]).roles == ()
        assert see_tenants(login, chain.url) is None
        assert login.name not in [standing.login for standing in read_standings(owner)]


@pytest.mark.parametrize(
    ("role", "tenants", "said"),
    [
        ("reader", [], "needs salons"),
        ("analyst", ["first"], "has no salons of its own"),
        ("owner", [], "--as is 'owner'"),
        ("reader", ["Nowhere"], "'Nowhere' names no salon"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_granted(
    chain: Chain, login: Login, role: str, tenants: list[str], said: str
) -> None:
    named = [chain.tenants[0] if name == "first" else name for name in tenants]
    with psycopg.connect(chain.url, autocommit=True) as owner:
        with pytest.raises(AgentpError, match=said):
            grant_access(owner, login.name, role=role, tenants=named)
        assert login.name not in [standing.login for standing in read_standings(owner)]


@pytest.mark.parametrize(("name", "said"), [
    ("nobody here", "knows no login"), ("agentp_reader", "no login of a reader"),
    ("authenticator", "no login of a reader"), ("superuser", "above row level security"),
    ("owner", "above row level security|rights of the database's owner"),
])  # fmt: skip
def test_a_login_that_policies_do_not_hold_is_refused(chain: Chain, superuser_url: str, name: str, said: str) -> None:
    urls = {"superuser": superuser_url, "owner": chain.url}
    given = str(conninfo_to_dict(urls[name])["user"]) if name in urls else name
    with psycopg.connect(chain.url, autocommit=True) as owner:
        before = read_standing(owner, given)
        with pytest.raises(AgentpError, match=said):
            grant_access(owner, given, role="reader", tenants=chain.tenants[:1])
        assert read_standing(owner, given) == before


def test_nobody_is_analyst_and_reader_at_once(chain: Chain, login: Login) -> None:
    with psycopg.connect(chain.url, autocommit=True) as owner:
        grant_access(owner, login.name, role="reader", tenants=chain.tenants[:1])
        with pytest.raises(AgentpError, match="every salon's rows or none"):
            grant_access(owner, login.name, role="analyst", tenants=[])
        # By hand it can be done: then the salon's own rows are all that is seen.
        owner.execute(sql.SQL("grant agentp_analyst to {}").format(sql.Identifier(login.name)))
        assert see_tenants(login, chain.url) == chain.tenants[:1]
        assert [gap.problem for gap in audit_access(owner) if gap.place == login.name] == ["two_roles"]


@pytest.mark.parametrize("claims", [
    "", "{", "[]", "null", "7", '"x"', "{}", '{"tenant_ids": null}', '{"tenant_ids": []}', '{"tenant_ids": {"a": 1}}',
    '{"tenant_ids": ["FIRST", "no id"]}', '{"tenant_ids": ["FIRST", null]}', '{"tenant_ids": "FIRST,SECOND"}',
    '{"user_metadata": {"tenant_ids": ["FIRST"]}}', '{"app_metadata": {"tenant_ids": [["FIRST"]]}}', "\\u0000",
    '{"tenant_ids": ["FIRST\'; drop table access.logins; --"]}', '{"tenant_ids": "*"}',
])  # fmt: skip
def test_claims_that_name_no_salon_are_no_rows_and_no_error(chain: Chain, claims: str) -> None:
    first, second = chain.tenants[:2]
    token = chain.logins["token"]
    given = claims.replace("FIRST", first).replace("SECOND", second)
    hostile = Login(token.name, token.password, token.role, {"request.jwt.claims": given})
    assert see_tenants(hostile, chain.url) == []
    app = chain.logins["app"]
    assert see_tenants(Login(app.name, app.password, None, {"app.tenant_ids": given}), chain.url) == []


def test_claims_name_one_salon_or_several(chain: Chain) -> None:
    first, second = chain.tenants[:2]
    token, app = chain.logins["token"], chain.logins["app"]
    for claims in (
        f'{{"tenant_ids": ["{first}", "{second}"]}}',
        f'{{"app_metadata": {{"tenant_ids": ["{second}", "{first}"]}}}}',
    ):
        both = Login(token.name, token.password, token.role, {"request.jwt.claims": claims})
        assert see_tenants(both, chain.url) == sorted([first, second])
    one = Login(token.name, token.password, token.role, {"request.jwt.claims": f'{{"tenant_id": "{second}"}}'})
    assert see_tenants(one, chain.url) == [second]
    spaced = Login(app.name, app.password, None, {"app.tenant_ids": f" {first} , {second.upper()}"})
    assert see_tenants(spaced, chain.url) == sorted([first, second])


@pytest.fixture
def copied(chain: Chain, open_database: Callable[[str | None], str]) -> Workshop:
    """A copy of the chain's database, to do to it what others should not see."""
    name = str(conninfo_to_dict(chain.url)["dbname"])
    url = open_database(name)
    return Workshop(url=url, settings=chain.workshop.settings.model_copy(update={"database_url": url}))


def test_a_builder_reads_raw_tables_writes_marts_and_nothing_more(copied: Workshop, chain: Chain) -> None:
    everything = "select rows::text from dashboard.sessions as rows order by 1"
    before = copied.execute(everything)
    with psycopg.connect(copied.url, autocommit=True) as owner:
        builder, reader = make_login(owner), make_login(owner)
        grant_access(owner, builder.name, role="builder", tenants=[])
        grant_access(owner, reader.name, role="reader", tenants=chain.tenants[:1])
        assert audit_access(owner) == []
    own = Workshop(url=builder.find_url(copied.url), settings=copied.settings)
    copied.execute("update conversation_sessions_v2 set final_summary = 'changed'")
    own.check(as_of=chain.as_of)
    own.build(as_of=chain.as_of)
    own.build(as_of=chain.as_of, full_refresh=True)
    pipeline.score(own.url, as_of=chain.as_of)
    assert pipeline.check_marts(own.settings, own.url, as_of=chain.as_of) > 20
    rows = copied.execute(everything)
    assert len(rows) == len(before)
    assert rows != before
    for statement in (
        "update clients_v2 set full_name = 'x'", "delete from recent_history_v2", "truncate wishlist_v2",
        "insert into tenants_v2 (name) values ('x')", "create table public.mine (a int)", "create schema mine",
        "create role mine", "alter table clients_v2 add column mine int",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute(statement)

    # Now that the owner of the marts is no superuser, policies hold it too, and readers all the same.
    assert see_tenants(reader, copied.url) == chain.tenants[:1]
    with reader.connect(copied.url) as connection:
        seen = read_everything(connection, list_relations(copied.url))
    texts = "".join(text for rows in seen.values() for text in rows)
    assert PERSON in texts
    assert [tenant for tenant in chain.tenants[1:] if tenant in texts] == []
    with psycopg.connect(copied.url, autocommit=True) as owner:
        for made in (builder, reader):
            revoke_access(owner, made.name, tenants=[])
            owner.execute(sql.SQL("drop role {}").format(sql.Identifier(made.name)))


def test_roles_are_made_again_and_go_without_a_trace(copied: Workshop, chain: Chain) -> None:
    with psycopg.connect(copied.url) as owner:
        assert prepare_roles(owner) == []
        assert "agentp_app: the others are still needed" in drop_roles(owner)
        traces = owner.execute(
            "select count(*) from pg_class, aclexplode(relacl) as acl "
            "where pg_get_userbyid(acl.grantee) like 'agentp\\_%'"
        ).fetchone()
        assert traces == (0,)
        assert audit_access(owner) == []
    copied.build(as_of=chain.as_of, select="sessions")
    assert see_tenants(chain.logins["reader"], copied.url) is None
    with psycopg.connect(copied.url) as owner:
        # Another database of the server has them still, and nothing of it is lost.
        assert prepare_roles(owner) == []
        assert audit_access(owner) == []
    assert see_tenants(chain.logins["reader"], chain.url) == chain.tenants[:1]
    assert see_tenants(chain.logins["reader"], copied.url) == []


def test_who_takes_a_role_out_of_every_policy_is_told_of_and_the_next_build_mends_it(
    copied: Workshop, chain: Chain
) -> None:
    """A member of a role may `drop owned by` it: Postgres asks for no right on the tables whose policies name it."""
    looks = {name: login for name, login in chain.logins.items() if name not in ("nobody", "bot")}
    with psycopg.connect(copied.url, autocommit=True) as owner:
        for name, role, tenants in (
            ("reader", "reader", chain.tenants[:1]), ("pair", "reader", chain.tenants[:2]), ("chain", "chain", []),
            ("analyst", "analyst", []), ("admin", "admin", []),
        ):  # fmt: skip
            grant_access(owner, chain.logins[name].name, role=role, tenants=tenants)
        before = {name: see_tenants(login, copied.url) for name, login in looks.items()}
        for login in chain.logins.values():
            for role in (*ALL_ROLES, "authenticated"):
                with login.connect(copied.url) as session, suppress(psycopg.errors.InsufficientPrivilege):
                    session.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
        assert {see_tenants(login, copied.url) == before[name] for name, login in looks.items()} == {False, True}
        gaps = audit_access(owner)
        assert {gap.problem for gap in gaps} == {"policy_missing"}
        assert {"dashboard.outbox", "dashboard.sessions", "quality.volumes"} <= {gap.place for gap in gaps}
        copied.build_with_dbt(as_of=chain.as_of)
        assert audit_access(owner) == []
    assert {name: see_tenants(login, copied.url) for name, login in looks.items()} == before


def test_schemas_are_open_before_models_are_built_several_at_a_time(workshop: Workshop) -> None:
    with pipeline.open_build(workshop.url):
        [row] = workshop.execute(
            "select array_agg(has_schema_privilege(role, schema, 'usage')) as found "
            "from unnest(array['agentp_reader', 'agentp_analyst', 'agentp_admin']) as role, "
            "unnest(array['dashboard', 'live', 'analysis']) as schema"
        )
    assert row["found"] == [True] * 9


def test_a_second_time_changes_nothing(chain: Chain) -> None:
    with psycopg.connect(chain.url) as owner:
        prepare_roles(owner)
        before = owner.execute("select max(xmin::text::bigint) from pg_class where relname = 'sessions'").fetchone()
        prepare_roles(owner)
        after = owner.execute("select max(xmin::text::bigint) from pg_class where relname = 'sessions'").fetchone()
    assert before == after


def test_a_login_without_the_right_makes_no_roles_and_is_told(copied: Workshop) -> None:
    with psycopg.connect(copied.url, autocommit=True) as owner:
        owner.execute("drop schema access, live, analysis cascade")
        plain = make_login(owner)
        names = (sql.Identifier(str(conninfo_to_dict(copied.url)["dbname"])), sql.Identifier(plain.name))
        owner.execute(sql.SQL("grant create on database {} to {}").format(*names))
        with psycopg.connect(make_conninfo(plain.find_url(copied.url))) as connection:
            [warning] = prepare_roles(connection)
        assert "nobody but the owner reads the marts" in warning
        owner.execute(sql.SQL("revoke create on database {} from {}").format(*names))
        owner.execute(sql.SQL("drop role {}").format(names[1]))
