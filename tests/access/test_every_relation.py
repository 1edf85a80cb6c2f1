"""Every role, every relation, `select *`: as docs/access.md says. A new mart or table enters by itself."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from access.marts import FOR_ANALYSTS, OWN_TABLES, find_personal, find_secret
from agentp.classification import read_marts
from tests.access.conftest import PERSON, Chain

SCHEMAS = (
    "access", "analysis", "build", "change_tracking", "dashboard", "intermediate", "live", "public", "quality",
    "scoring", "staging",
)  # fmt: skip
BY_SALON = ("reader", "pair", "chain", "app", "token")


def find_withheld(name: str) -> set[str]:
    """The columns of a mart that analysts do not see."""
    mart = read_marts().get(name)
    return {*find_personal(mart), *find_secret(mart)} if mart else set(OWN_TABLES.get(name, ()))


def may_read(role: str, schema: str, name: str) -> bool:
    """Whether `select *` works, as docs/access.md says."""
    if (schema, name) == ("access", "logins"):
        return True
    match role:
        case "admin":
            return schema in ("dashboard", "live", "scoring") or (schema, name != "pending_forgettings") == (
                "quality",
                True,
            )
        case "analyst":
            is_whole = schema in ("dashboard", "live") and not find_withheld(name)
            return schema == "analysis" or is_whole or (schema == "quality" and name in FOR_ANALYSTS)
        case "bot":
            return (schema, name) == ("dashboard", "outbox")
        case "nobody":
            return False
    return role in BY_SALON and schema in ("dashboard", "live")


def list_relations(url: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(url) as owner:
        return owner.execute(
            "select nspname::text, relname::text, relkind::text from pg_class "
            "join pg_namespace on relnamespace = pg_namespace.oid "
            "where nspname = any(%s) and relkind in ('r', 'p', 'v', 'm') and relname not like 'scratch\\_%%' "
            "order by 1, 2",
            (list(SCHEMAS),),
        ).fetchall()


@pytest.mark.parametrize("role", [*BY_SALON, "admin", "analyst", "bot", "nobody"])
def test_every_relation_is_read_whole_or_refused_as_documented(chain: Chain, role: str) -> None:
    relations = list_relations(chain.url)
    assert len(relations) > 100
    wrong = []
    with chain.logins[role].connect(chain.url) as session:
        for schema, name, _ in relations:
            try:
                session.execute(sql.SQL("select * from {} limit 1").format(sql.Identifier(schema, name)))
                is_read = True
            except psycopg.errors.InsufficientPrivilege:
                is_read = False
            if is_read != may_read(role, schema, name):
                wrong.append(f"{schema}.{name} is {'read' if is_read else 'refused'}")
    assert wrong == []


def test_analysts_have_every_mart_with_all_columns_but_those_withheld(chain: Chain) -> None:
    relations = {(schema, name) for schema, name, _ in list_relations(chain.url)}
    marts = {name for schema, name in relations if schema == "dashboard"}
    assert marts == {name for schema, name in relations if schema == "analysis"}
    with chain.logins["analyst"].connect(chain.url) as session, psycopg.connect(chain.url) as owner:
        for mart in marts:
            query = sql.SQL("select * from {} limit 0")
            whole = owner.execute(query.format(sql.Identifier("dashboard", mart))).description or []
            shown = session.execute(query.format(sql.Identifier("analysis", mart))).description or []
            withheld = find_withheld(mart)
            assert [column.name for column in shown] == [c.name for c in whole if c.name not in withheld], mart
            counts = [
                connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, mart))).fetchone()
                for connection, schema in ((owner, "dashboard"), (session, "analysis"))
            ]
            assert counts[0] == counts[1], mart


def test_a_salon_is_no_person(chain: Chain) -> None:
    with chain.logins["analyst"].connect(chain.url) as session, psycopg.connect(chain.url) as owner:
        expected = owner.execute("select id, name, slug from tenants_v2 order by id").fetchall()
        seen = session.execute(
            "select tenant_id, tenant_name, slug from analysis.tenant_settings order by 1"
        ).fetchall()
        zones = session.execute("select distinct timezone from analysis.tenant_settings").fetchall()
        everything = str(session.execute("select * from analysis.tenant_settings").fetchall())
    assert seen == expected
    assert zones
    assert PERSON not in everything


@pytest.mark.parametrize("role", ["reader", "analyst"])
def test_every_column_that_a_role_reads_of_a_mart_says_what_it_is(chain: Chain, role: str) -> None:
    with chain.logins[role].connect(chain.url) as session:
        silent = session.execute(
            "select attrelid::regclass::text, attname from pg_attribute join pg_class on attrelid = pg_class.oid "
            "where relnamespace in ('dashboard'::regnamespace, 'analysis'::regnamespace, 'live'::regnamespace) "
            "and relkind in ('r', 'v') and attnum > 0 and not attisdropped "
            "and has_column_privilege(pg_class.oid, attnum, 'select') "
            "and (coalesce(col_description(pg_class.oid, attnum), '') = '' "
            "or coalesce(obj_description(pg_class.oid, 'pg_class'), '') = '')"
        ).fetchall()
    assert silent == []
