"""Whose code runs with whose rights: who builds writes none that an owner would run."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from agentp.errors import SetupError
from sources.agent_p.late_binding import SCHEMA, list_bodies

BUILDER = "agentp_builder"
_FUNCTION = re.compile(
    r"create or replace function (?P<signature>[\w.]+\([^)]*\)).*?\bas \$\$(?P<body>.*?)\$\$", re.DOTALL
)


def find_builders_code(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the functions that `agentp_builder`, or a login that builds, owns and that are none of this project's.

    Whoever reads or writes what that role owns may run them unseen: by a trigger, a view, a default, a policy.
    """
    # A builder runs what makes them: the gate those of schema `quality`, a build those that read the raw columns.
    own = {
        "quality": [found["body"] for found in _FUNCTION.finditer(_read_store("expectations"))],
        SCHEMA: list_bodies(),
    }
    places = [(schema, body) for schema, bodies in own.items() for body in bodies]
    rows = connection.execute(
        _FIND_CODE,
        {"builder": BUILDER, "schemas": [schema for schema, _ in places], "bodies": [body for _, body in places]},
    ).fetchall()
    return [name for (name,) in rows]


def require_own_code(connection: psycopg.Connection[Any]) -> None:
    """Refuse to work with the database owner's rights beside code of who builds; others run no more than they may."""
    row = connection.execute(
        "select to_regrole(%s) is not null and current_user <> %s and pg_has_role(current_user, datdba, 'usage') "
        "from pg_database where datname = current_database()",
        (BUILDER, BUILDER),
    ).fetchone()
    if not (row and row[0]):
        return
    found = find_builders_code(connection)
    if found:
        raise SetupError(
            f"{len(found)} functions belong to who builds and are not of this project: {', '.join(found[:4])}. "
            "Reading what that login owns could run them with your rights.",
            cure="Look at them, then drop them or make them yours (alter function … owner to …).",
        )


def take_back_access(connection: psycopg.Connection[Any]) -> None:
    """Make schema `access` the database owner's again where who builds owns it, as older versions had it.

    Its functions may have been replaced since: what is in it is made anew (`prepare_access`), and what is not of this
    project goes. Does nothing for who neither owns the database nor is a superuser.
    """
    row = connection.execute(
        "select nspowner = to_regrole(%s) and current_user <> %s "
        "and (select pg_has_role(current_user, datdba, 'usage') from pg_database where datname = current_database()) "
        "from pg_namespace where nspname = 'access'",
        (BUILDER, BUILDER),
    ).fetchone()
    if not (row and row[0]):
        return
    known = {"".join(found["signature"].split()) for found in _FUNCTION.finditer(_read_store("access"))}
    with connection.transaction():
        # From here on who builds can make nothing in it.
        connection.execute("alter schema access owner to current_user")
        for kind, place, signature in connection.execute(_LIST_ACCESS).fetchall():
            if kind == "trigger" or (kind == "function" and signature not in known):
                connection.execute(sql.SQL("drop {} {}").format(sql.SQL(kind), sql.SQL(place)))
            else:
                connection.execute(sql.SQL("alter {} {} owner to current_user").format(sql.SQL(kind), sql.SQL(place)))
        connection.execute("comment on schema access is null")


def _read_store(package: str) -> str:
    return files(package).joinpath("store.sql").read_text(encoding="utf-8")


_FIND_CODE = """
select pg_proc.oid::regprocedure::text
from pg_proc
join pg_roles as owners on owners.oid = pg_proc.proowner
cross join pg_database
where
    pg_database.datname = current_database()
    and not owners.rolsuper and not owners.rolcreaterole
    and (
        owners.rolname = %(builder)s
        or exists (
            select 1 from pg_auth_members
            where pg_auth_members.roleid = to_regrole(%(builder)s) and pg_auth_members.member = owners.oid
        )
    )
    and not pg_has_role(owners.oid, pg_database.datdba, 'member')
    and not exists (
        select 1 from unnest(%(schemas)s::text[], %(bodies)s::text[]) as own (schema_name, body)
        where pg_proc.pronamespace = to_regnamespace(own.schema_name) and pg_proc.prosrc = own.body
    )
    and not exists (
        select 1 from pg_depend
        where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
    )
order by 1
"""
# Triggers first: functions hang on them.
_LIST_ACCESS = """
select 'trigger' as kind, format('%I on %s', tgname, tgrelid::regclass), tgname::text
from pg_trigger join pg_class on pg_class.oid = tgrelid
where relnamespace = 'access'::regnamespace and not tgisinternal
union all
select case relkind when 'v' then 'view' else 'table' end, pg_class.oid::regclass::text, relname::text
from pg_class where relnamespace = 'access'::regnamespace and relkind in ('r', 'v')
union all
select
    'function', oid::regprocedure::text,
    format('access.%I(%s)', proname, replace(pg_get_function_identity_arguments(oid), ' ', ''))
from pg_proc where pronamespace = 'access'::regnamespace
order by kind desc
"""
