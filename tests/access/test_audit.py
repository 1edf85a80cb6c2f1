"""`agentp doctor` finds every way in which somebody would read more than they should, and none where there is none."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from access.audit import CURES, audit_access
from tests.access.conftest import Chain
from tests.conftest import name_database

GAPS = {
    "no_row_security": "alter table dashboard.visits no force row level security",
    "no_row_security in quality": "alter table quality.rule_results disable row level security",
    "no_row_security of a new one": "create table dashboard.later (tenant_id uuid)",
    "no_tenant": "create table dashboard.later (a int)",
    "policy_missing": "drop policy agentp_tenants on dashboard.sessions",
    "policy_missing: changed": "alter policy agentp_tenants on dashboard.sessions using (true)",
    "policy_missing: for others": "alter policy agentp_every_tenant on dashboard.sessions to public",
    "policy_foreign": "create policy mine on dashboard.sessions using (true)",
    "view_of_owner": "alter view dashboard.waitlist set (security_invoker = false)",
    "view_not_cut": "alter view live.waitlist set (security_barrier = false)",
    "view_not_cut: whole": "create or replace view live.activation_uplift with (security_barrier = true) as "
    "select * from dashboard.activation_uplift",
    "view_elsewhere": "create view public.all_sessions as select * from dashboard.sessions",
    "view_elsewhere: materialized": "create materialized view public.all_clients as select * from dashboard.clients",
    "materialized_view": "create materialized view dashboard.all_clients as select * from dashboard.clients",
    "grant_too_wide": "grant select on dashboard.sessions to public",
    "grant_too_wide: column": "grant select (client_name) on dashboard.sessions to agentp_analyst",
    "grant_too_wide: relation": "grant select on live.waitlist to agentp_analyst",
    "grant_too_wide: write": "grant update on dashboard.sessions to agentp_reader",
    "grant_too_wide: kept": "grant select on quality.session_repairs to agentp_analyst",
    "raw_readable": "grant select on tenants_v2 to agentp_reader",
    "raw_readable: by all": "grant select on clients_v2 to public",
    "reader_of_raw": "grant select on clients_v2 to {reader}",
    "reader_bypasses": "alter role {reader} bypassrls",
    "role_can_log_in": "alter role agentp_analyst login",
    "two_roles": "grant agentp_analyst to {reader}",
    "login_unknown": "insert into access.logins (tenant_id, login) values (gen_random_uuid(), 'gone')",
    "function_of_owner": "create function dashboard.all() returns bigint language sql security definer "
    "as 'select count(*) from dashboard.sessions'",
    "function_of_owner: of a trigger": "grant execute on function change_tracking.note_changed_clients() to public",
    "function_without_path": "alter function change_tracking.note_changed_memories() reset search_path",
    "access_not_owners": "alter function access.tenants() owner to agentp_builder",
    "access_not_owners: schema": "alter schema access owner to agentp_builder",
    "code_of_builder": "create function quality.mine() returns integer language sql as 'select 1'; "
    "alter function quality.mine() owner to agentp_builder",
    "names_itself": "grant authenticated to {reader}",
    "schema_open": "grant create on schema dashboard to public",
    "schema_open: public": "grant create on schema public to public",
}


def test_a_chain_as_it_was_built_has_no_gap(chain: Chain) -> None:
    with psycopg.connect(chain.url) as owner:
        assert audit_access(owner) == []


@pytest.mark.parametrize("name", GAPS)
def test_each_gap_is_found_with_its_place_and_cure(chain: Chain, superuser_url: str, name: str) -> None:
    names = {place: str(conninfo_to_dict(chain.url)[place]) for place in ("user", "dbname")}
    with psycopg.connect(name_database(superuser_url, names["dbname"])) as session:
        # Whoever made the gap, the owner finds it.
        session.execute(GAPS[name].format(reader=chain.logins["reader"].name).encode())
        session.execute(sql.SQL("set local session authorization {}").format(sql.Identifier(names["user"])))
        found = audit_access(session)
        session.rollback()
    assert name.split(":")[0].split(" ")[0] in {gap.problem for gap in found}
    assert all(gap.cure and gap.place and gap.detail for gap in found)


def test_every_kind_of_gap_is_tried() -> None:
    assert {name.split(":")[0].split(" ")[0] for name in GAPS} == set(CURES)


@pytest.mark.parametrize(
    "name", ["no_row_security", "policy_missing", "policy_missing: changed", "grant_too_wide: column"]
)
def test_what_was_taken_off_a_mart_is_put_back_by_the_next_build(chain: Chain, name: str) -> None:
    with psycopg.connect(chain.url) as owner:
        owner.execute(GAPS[name].encode())
        owner.commit()
        assert audit_access(owner) != []
        owner.rollback()
        chain.workshop.build(as_of=chain.as_of, select="sessions visits")
        assert audit_access(owner) == []
