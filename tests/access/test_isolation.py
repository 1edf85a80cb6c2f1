"""Whoever logs in, however they try: rows of another salon read, 0; of a person, none that are not theirs to see."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest
from psycopg import sql

from tests.access.conftest import PERSON, Chain
from tests.support.readers import list_relations, read_everything, read_texts

BY_TENANT = {"reader": 1, "pair": 2, "bot": 1, "app": 1, "token": 1, "nobody": 0}
"""How many salons, from the first on, those see who see some."""

MARTS = (
    "select relname from pg_class where relnamespace = 'dashboard'::regnamespace and relkind in ('r', 'v') order by 1"
)


def find_foreign(chain: Chain, texts: dict[str, list[str]], own: int) -> list[tuple[str, str]]:
    """Return what tells of a salon that is not among the first ``own``."""
    foreign = chain.tenants[own:]
    return [(place, text) for place, rows in texts.items() for text in rows if any(name in text for name in foreign)]


@pytest.mark.parametrize("name", BY_TENANT)
def test_of_every_relation_and_column_a_login_reads_its_own_salons_alone(chain: Chain, name: str) -> None:
    with chain.logins[name].connect(chain.url) as connection:
        seen = read_everything(connection, list_relations(chain.url))
    assert find_foreign(chain, seen, BY_TENANT[name]) == []
    if name in ("nobody", "bot"):
        assert {place for place, rows in seen.items() if PERSON in "".join(rows)} <= {"dashboard.outbox"}


@pytest.mark.parametrize("name", ["reader", "pair", "app", "token", "chain", "admin"])
def test_and_all_of_their_rows_in_every_mart(chain: Chain, name: str) -> None:
    own = chain.tenants[: BY_TENANT.get(name, len(chain.tenants))]
    with psycopg.connect(chain.url) as owner, chain.logins[name].connect(chain.url) as connection:
        marts = [mart for (mart,) in owner.execute(MARTS)]
        assert len(marts) > 25
        for mart in marts:
            place = sql.Identifier("dashboard", mart)
            expected = sorted(owner.execute(
                sql.SQL("select rows::text from {} as rows where tenant_id = any(%s)").format(place), (own,)
            ).fetchall())  # fmt: skip
            seen = sorted(connection.execute(sql.SQL("select rows::text from {} as rows").format(place)).fetchall())
            assert seen == expected, mart
            if mart not in ("restatements", "waitlist_matches", "slot_offers", "wish_reactions", "activation_uplift"):
                assert expected, f"{mart} is empty, and shows nothing"


def test_analysts_read_every_salon_and_nobodys_name_phone_or_words(chain: Chain) -> None:
    phones = [row["phone"] for row in chain.workshop.execute("select phone from clients_v2 where phone is not null")]
    with chain.logins["analyst"].connect(chain.url) as connection:
        seen = read_everything(connection, list_relations(chain.url))
        counts = connection.execute("select count(distinct tenant_id) from analysis.sessions").fetchone()
    assert counts == (len(chain.tenants),)
    assert [place for place, rows in seen.items() if PERSON in "".join(rows)] == []
    everything = "".join(text for rows in seen.values() for text in rows)
    assert [phone for phone in phones if phone in everything] == []
    assert "analysis.clients" in seen
    assert "dashboard.clients" not in seen, "the whole row holds names"


def test_no_secret_is_in_any_column_that_any_role_reads(chain: Chain) -> None:
    relations = list_relations(chain.url)
    for name, login in chain.logins.items():
        with login.connect(chain.url) as connection:
            seen = read_everything(connection, relations)
        assert [place for place, rows in seen.items() if "open sesame" in "".join(rows)] == [], name
    with psycopg.connect(chain.url, autocommit=True) as owner:
        seen = read_everything(owner, relations)
    # The second shows the first to its owner alone.
    places = [place for place, rows in seen.items() if "open sesame" in "".join(rows)]
    assert places == ["public.tenants_v2", "staging.tenants_v2"]


@pytest.mark.parametrize("name", ["reader", "nobody", "bot", "analyst"])
def test_no_login_takes_another_role_or_names_its_salons_itself(chain: Chain, name: str) -> None:
    others = ",".join(chain.tenants)
    claims = f'{{"tenant_ids": ["{chain.tenants[1]}"], "role": "service_role"}}'
    with psycopg.connect(chain.url) as owner:
        roles = [role for (role,) in owner.execute("select rolname from pg_roles where rolname !~ '^pg_'")]
    relations = list_relations(chain.url)
    with chain.logins[name].connect(chain.url) as connection:
        before = read_everything(connection, relations)
        for setting, value in (("app.tenant_ids", others), ("request.jwt.claims", claims), ("row_security", "on")):
            connection.execute("select set_config(%s, %s, false)", (setting, value))
        taken = []
        for role in roles:
            for command in ("set role {}", "set session authorization {}"):
                with suppress(psycopg.errors.InsufficientPrivilege):
                    connection.execute(sql.SQL(command).format(sql.Identifier(role)))
                    taken.append(role)
                    seen = read_everything(connection, relations)
                    changed = {place for place, rows in seen.items() if before.get(place, []) != rows and rows}
                    assert {place for place in changed if not place.startswith("pg_catalog")} == set(), role
                connection.execute("reset role")
        assert len(roles) > len(set(taken))
        connection.execute("set row_security = off")
        assert read_texts(connection, "select client_name from dashboard.sessions") is None


HOSTILE_QUERIES = {
    "copy": "copy (select rows::text from dashboard.sessions as rows) to stdout",
    "copy table": "copy dashboard.sessions to stdout",
    "side effect": "select 1 from dashboard.sessions as rows where pg_temp.tell(rows::text)",
    "side effect in a view": "select 1 from dashboard.waitlist as rows where pg_temp.tell(rows::text)",
    "side effect in an order": "select 1 from dashboard.dialogs as rows order by pg_temp.tell(rows::text)",
    "cheap operator": "select 1 from dashboard.clients where client_name ~~~ 'x'",
    "error with a value": "select client_name::int from dashboard.clients",
    "error in a filter": "select 1 from dashboard.win_back where client_name::int > 0",
    "explain": "explain (analyze, verbose, costs off) select * from dashboard.sessions",
    "join": "select rows::text from dashboard.clients as a right join dashboard.sessions as rows using (tenant_id)",
    "aggregate": "select string_agg(distinct tenant_id::text, ',') from dashboard.metrics_dailies",
    "lateral": "select more::text from access.logins as named, lateral (select * from dashboard.peers) as more",
    "prepared": "execute all_sessions",
    "cursor": "fetch all from everything",
    "table function": "select query_to_xml('select * from dashboard.sessions', true, true, '')::text",
    "whole schema": "select schema_to_xml('dashboard', true, true, '')::text",
    "live": "select rows::text from live.waitlist as rows",
    "statistics": "select most_common_vals::text from pg_stats where schemaname in ('dashboard', 'public')",
    "large objects": "select lo_get(oid)::text from pg_largeobject_metadata",
    "files": "select pg_read_file('postgresql.auto.conf')",
    "program": "copy dashboard.peers to program 'cat'",
}
PREPARATIONS = (
    "create function pg_temp.tell(text) returns boolean language plpgsql cost 0.0001 as "
    "$$ begin raise notice '%', $1; return true; end $$",
    "create function pg_temp.same(text, text) returns boolean language plpgsql cost 0.0001 as "
    "$$ begin raise notice '%', $1; return true; end $$",
    "create operator pg_temp.~~~ (leftarg = text, rightarg = text, function = pg_temp.same)",
    # What the policies call, under the same names, where the session looks first.
    "create function pg_temp.tenants() returns uuid[] language sql as "
    "$$ select array_agg(id) from public.tenants_v2 $$",
    "create temporary table logins (tenant_id uuid, login text)",
    "create function pg_temp.session_user() returns name language sql as $$ select 'authenticator'::name $$",
    "create function pg_temp.parse_ids(text[]) returns uuid[] language sql as $$ select $1::uuid[] $$",
    "set search_path = pg_temp, dashboard, access, public, pg_catalog",
    "prepare all_sessions as select * from dashboard.sessions",
    "declare everything cursor with hold for select rows::text from dashboard.dialogs as rows",
)


@pytest.mark.parametrize("name", ["reader", "token", "nobody"])
def test_no_query_function_or_path_gets_round_it(chain: Chain, name: str) -> None:
    told: list[str] = []
    with chain.logins[name].connect(chain.url) as connection:
        connection.add_notice_handler(lambda diagnostic: told.append(str(diagnostic.message_primary)))
        for statement in PREPARATIONS:
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        for query in HOSTILE_QUERIES.values():
            try:
                if query.startswith("copy"):
                    with connection.cursor().copy(query.encode()) as copy:
                        told += [bytes(block).decode() for block in copy]
                else:
                    told += [str(row) for row in connection.execute(query.encode()).fetchall()]
            except psycopg.Error as error:
                told.append(str(error))
    assert find_foreign(chain, {"told": told}, BY_TENANT[name]) == []
    if name != "nobody":
        assert sum(chain.tenants[0] in text for text in told) > 100, "the queries did find rows"
    assert "open sesame" not in "".join(told)


def test_every_function_of_ours_tells_a_reader_nothing_of_others(chain: Chain) -> None:
    with psycopg.connect(chain.url) as owner:
        functions = owner.execute(
            "select format('%I.%I', nspname, proname), proargtypes::regtype[]::text[] from pg_proc "
            "join pg_namespace on pronamespace = pg_namespace.oid "
            "where nspname in ('access', 'live', 'dashboard', 'analysis', 'quality', 'change_tracking') "
            "and prorettype <> 'trigger'::regtype"
        ).fetchall()
    values = {
        "text": "'agentp_reader'", "text[]": "array['dashboard']", "oid": "10", "bigint": "1",
        "regclass": "'public.recent_history_v2'", "jsonb": "'{}'",
    }  # fmt: skip
    assert len(functions) > 8
    told = []
    with chain.logins["reader"].connect(chain.url) as connection:
        for function, types in functions:
            call = f"select {function}({', '.join(values[name] for name in types)})"
            try:
                told += [str(row) for row in connection.execute(call.encode()).fetchall()]
            except psycopg.Error as error:
                told.append(str(error))
    assert find_foreign(chain, {"told": told}, 1) == []


def test_another_salon_and_one_that_is_not_look_alike(chain: Chain) -> None:
    unknown = "11111111-1111-4111-8111-111111111111"
    with chain.logins["reader"].connect(chain.url) as connection, psycopg.connect(chain.url) as owner:
        for (mart,) in owner.execute(MARTS):
            query = sql.SQL("select * from {} where tenant_id = {}")
            answers = []
            for tenant in (chain.tenants[1], unknown):
                try:
                    cursor = connection.execute(
                        query.format(sql.Identifier("dashboard", mart), sql.Literal(tenant)), prepare=False
                    )
                    answers.append(str(cursor.fetchall()))
                except psycopg.Error as error:
                    answers.append(str(error))
            assert answers[0] == answers[1] == "[]", mart


@pytest.mark.parametrize("name", ["reader", "analyst", "admin", "chain", "app", "token", "bot", "nobody"])
def test_who_reads_writes_nothing(chain: Chain, name: str) -> None:
    written = []
    with chain.logins[name].connect(chain.url) as connection:
        for relation, columns in list_relations(chain.url).items():
            if relation.startswith("pg_catalog") or relation == "access.logins":
                continue
            for statement in (
                f"insert into {relation} default values", f"delete from {relation}", f"truncate {relation}",
                *(f"update {relation} set {column} = {column}" for column in columns),
                f"alter table {relation} disable row level security", f"create table {relation}_mine (a int)",
            ):  # fmt: skip
                with suppress(
                    psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType,
                    psycopg.errors.ObjectNotInPrerequisiteState, psycopg.errors.FeatureNotSupported,
                    psycopg.errors.SyntaxError, psycopg.errors.GeneratedAlways,
                ):  # fmt: skip
                    connection.execute(statement.encode())
                    written.append(statement)
    allowed = {f"update dashboard.outbox set {column} = {column}" for column in ("status", "sent_at")}
    assert set(written) == (allowed if name == "bot" else set())


def test_the_bot_marks_its_own_messages_alone(chain: Chain) -> None:
    with chain.logins["bot"].connect(chain.url) as connection, connection.transaction(force_rollback=True):
        marked = connection.execute(
            "update dashboard.outbox set status = 'sent', sent_at = now() returning tenant_id::text"
        ).fetchall()
    assert {tenant for (tenant,) in marked} == {chain.tenants[0]}
