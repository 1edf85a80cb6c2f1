"""Schema `access` is its database owner's: taken back where an older version gave it away, and made anew."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from sources.foreign_code import BUILDER, list_functions


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
    known = {"".join(found["signature"].split()) for found in list_functions("access")}
    with connection.transaction():
        # From here on who builds can make nothing in it.
        connection.execute("alter schema access owner to current_user")
        for kind, place, signature in connection.execute(_LIST_ACCESS).fetchall():
            if kind == "trigger" or (kind == "function" and signature not in known):
                connection.execute(sql.SQL("drop {} {}").format(sql.SQL(kind), sql.SQL(place)))
            else:
                connection.execute(sql.SQL("alter {} {} owner to current_user").format(sql.SQL(kind), sql.SQL(place)))
        connection.execute("comment on schema access is null")


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
