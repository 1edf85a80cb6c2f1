"""Whether the live database lets nobody read more than they should: the audit of `agentp doctor` (issue 7)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg

from access.marts import FOR_ANALYSTS, OWN_TABLES, find_personal, find_secret
from agentp.classification import read_marts
from sources.foreign_code import find_builders_code

CURES = {
    "no_row_security": "Build again, or run `agentp migrate`: both put it back.",
    "no_tenant": "Give it a tenant_id, or move it to a schema of its own.",
    "policy_missing": "Build again, or run `agentp migrate`: both put it back.",
    "policy_foreign": "Drop it (drop policy … on …), unless somebody decided so.",
    "view_of_owner": "alter view … set (security_invoker = true), or build again.",
    "view_not_cut": "Build again: agentp build --full-refresh",
    "view_elsewhere": "alter view … set (security_invoker = true); a materialized view has to go.",
    "materialized_view": "Drop it, or move it out of the schemas of the marts.",
    "grant_too_wide": "Revoke it (revoke … on … from …) and let `agentp grant` say who may read what.",
    "raw_readable": "revoke all on … from …; where an application reads them with that key, give it policies instead "
    "(alter table … enable row level security; create policy …).",
    "reader_of_raw": "Revoke the right on the raw table, or give the login for reading another name.",
    "reader_bypasses": "alter role … nosuperuser nobypassrls, or use another login.",
    "role_can_log_in": "alter role … nologin, and make logins that are members of it.",
    "two_roles": "Take one away: agentp revoke LOGIN",
    "login_unknown": "Take it away: agentp revoke LOGIN",
    "function_of_owner": "Let the owner run `agentp migrate`; else: revoke execute on function … from …",
    "function_without_path": "alter function … set search_path = pg_catalog, pg_temp",
    "access_not_owners": "Let the owner of the database run `agentp migrate`: it takes them back and makes them anew.",
    "code_of_builder": "Look at it, then drop it or make it yours: alter function … owner to …",
    "names_itself": "revoke authenticated from …: salons of a token are named by Supabase's own servers alone.",
    "schema_open": "revoke create on schema … from …",
}
"""What to do about each kind of finding."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One way in which somebody may read more than they should."""

    problem: str
    place: str
    detail: str

    @property
    def cure(self) -> str:
        """What closes it."""
        return CURES[self.problem]


def audit_access(connection: psycopg.Connection[Any]) -> list[Gap]:
    """Return every gap of the live database; none where schema `access` is as it should be and nobody added to it."""
    personal = [
        f"{place}.{column}"
        for mart in read_marts().values()
        for column in (*find_personal(mart), *find_secret(mart))
        for place in (f"{mart.schema}.{mart.relation}", f"live.{mart.name}")
    ]
    personal += [f"dashboard.{table}.{column}" for table, columns in OWN_TABLES.items() for column in columns]
    code = find_builders_code(connection)
    # What builds note is a builder's: reading it could run such code.
    declared = [] if code else read_declared_grants(connection)
    rows = connection.execute(
        files("access").joinpath("audit.sql").read_text(encoding="utf-8").encode(),
        {"personal": personal, "for_analysts": list(FOR_ANALYSTS), "declared": declared},
    ).fetchall()
    gaps = [Gap(problem=problem, place=place, detail=detail) for problem, place, detail in rows]
    return gaps + [
        Gap(problem="code_of_builder", place=name, detail="is who builds' own, and could run with rights of who reads")
        for name in code
    ]


def read_bypassing_owners(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the owners of marts whom row level security does not hold: superusers, and roles with BYPASSRLS."""
    rows = connection.execute(
        "select distinct rolname::text from pg_class inner join pg_roles on pg_class.relowner = pg_roles.oid "
        "where relnamespace = to_regnamespace('dashboard') and (rolsuper or rolbypassrls) order by 1"
    ).fetchall()
    return [owner for (owner,) in rows]


def read_declared_grants(connection: psycopg.Connection[Any]) -> list[str]:
    """Return what models grant beside what every mart gives (`grants:`), as `schema.relation role`; builds note it."""
    is_there = connection.execute("select to_regclass('build.declared_grants') is not null").fetchone()
    if not (is_there and is_there[0]):
        return []
    rows = connection.execute(
        "select to_regclass(format('%I.%I', schema_name, relation_name))::text || ' ' || role_name "
        "from build.declared_grants where to_regclass(format('%I.%I', schema_name, relation_name)) is not null"
    ).fetchall()
    return [declared for (declared,) in rows]
