"""Whose code runs with whose rights: whoever builds writes none that an owner would run.

A function runs with the rights of whoever reads the view, fills the table or fires the trigger that calls it, and who
builds owns views and tables that owners read. So there must be no function of theirs; and what they own may call none
of Postgres' own that does anything (`lo_export` writes files for a superuser, `pg_sleep` stops a night) or that reads
what it is told to (`table_to_xml`); nor may a view or policy that reads with the reader's rights read anything but raw
tables and what is built of them: a mart would be filled with what only an owner sees.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from agentp.errors import SetupError
from sources.late_binding import SCHEMA, list_bodies
from systems.registry import list_systems

BUILDER = "agentp_builder"
_FUNCTION = re.compile(
    r"create or replace function (?P<signature>[\w.]+\([^)]*\)).*?\bas \$\$(?P<body>.*?)\$\$", re.DOTALL
)
PLACES = ("live", "analysis", "quality", "scoring", "build", "staging", "intermediate", "change_tracking")
"""Schemas of what is built beside marts, and of the queues that builds empty."""
HARMLESS = ("clock_timestamp", "gen_random_uuid", "nextval", "random", "statement_timestamp", "timeofday")
"""Volatile functions that only tell something."""


def list_functions(package: str) -> list[re.Match[str]]:
    """Return the functions that a package's `store.sql` makes: each with its signature and its body."""
    return list(_FUNCTION.finditer(files(package).joinpath("store.sql").read_text(encoding="utf-8")))


def find_builders_code(connection: psycopg.Connection[Any]) -> list[str]:
    """Return what `agentp_builder`, or a login that builds, would have others run unseen, by its place.

    Functions that it owns and that are none of this project's; views, rules, defaults, checks, policies and triggers of
    its own that call a function that does or reads something; views and policies that read what is none of ours.
    """
    # A builder runs what makes them: the gate those of schema `quality`, a build those that read the raw columns.
    own = {
        "quality": [found["body"] for found in list_functions("expectations")],
        SCHEMA: list_bodies(),
    }
    places = [(schema, body) for schema, bodies in own.items() for body in bodies]
    raw = [f"{system.raw_schema}.{table}" for system in list_systems() for table in system.columns]
    rows = connection.execute(
        _FIND_CODE,
        {
            "builder": BUILDER, "schemas": [schema for schema, _ in places], "bodies": [body for _, body in places],
            "harmless": list(HARMLESS), "raw": raw,
            "places": [*PLACES, *(system.mart_schema for system in list_systems())],
        },
    ).fetchall()  # fmt: skip
    return [name for (name,) in rows]


def require_own_code(connection: psycopg.Connection[Any]) -> None:
    """Refuse to work with the database owner's rights beside code of who builds; others run no more than they may."""
    row = connection.execute(_OWNS_SOMETHING, {"builder": BUILDER}).fetchone()
    if not (row and row[0]):
        return
    found = find_builders_code(connection)
    if found:
        raise SetupError(
            f"{len(found)} functions and calls belong to who builds and are not of this project: "
            f"{', '.join(found[:4])}. Reading what that login owns could run them with your rights.",
            cure="Look at them, then drop them, or make a function yours (alter function … owner to …).",
        )


_BUILDERS = sql.SQL("""
    select owners.oid
    from pg_roles as owners
    cross join pg_database
    where
        pg_database.datname = current_database()
        and not owners.rolsuper and not owners.rolcreaterole
        and pg_has_role(owners.oid, to_regrole(%(builder)s), 'member')
        and not pg_has_role(owners.oid, pg_database.datdba, 'member')
""")
_OWNS_SOMETHING = sql.SQL("""
select
    current_user <> %(builder)s and pg_has_role(current_user, datdba, 'usage') and exists (
        select 1 from pg_shdepend
        where
            refclassid = 'pg_authid'::regclass and deptype = 'o' and dbid = pg_database.oid
            and refobjid in ({builders})
    )
from pg_database where datname = current_database()
""").format(builders=_BUILDERS)
_FIND_CODE = sql.SQL("""
with builders as ({builders}),

expressions as (

    select
        pg_class.oid::regclass::text as place,
        ev_action::text || ev_qual::text as tree,
        -- What it reads it reads with the reader's rights.
        array_to_string(reloptions, ',') like '%%security_invoker=%%' as is_readers
    from pg_rewrite inner join pg_class on ev_class = pg_class.oid
    where relowner in (table builders)
    union all
    select adrelid::regclass::text, adbin::text, false
    from pg_attrdef inner join pg_class on adrelid = pg_class.oid
    where relowner in (table builders)
    union all
    select coalesce(pg_class.oid::regclass::text, pg_type.oid::regtype::text), conbin::text, false
    from pg_constraint
    left join pg_class on conrelid = pg_class.oid
    left join pg_type on contypid = pg_type.oid
    where conbin is not null and coalesce(relowner, typowner) in (table builders)
    union all
    select polrelid::regclass::text, concat(polqual::text, polwithcheck::text), true
    from pg_policy inner join pg_class on polrelid = pg_class.oid
    where relowner in (table builders)
    union all
    select tgrelid::regclass::text, ':funcid ' || tgfoid || ' ' || coalesce(tgqual::text, ''), false
    from pg_trigger inner join pg_class on tgrelid = pg_class.oid
    where relowner in (table builders) and not tgisinternal

)

select pg_proc.oid::regprocedure::text as name
from pg_proc
where
    pg_proc.proowner in (table builders)
    and not exists (
        select 1 from unnest(%(schemas)s::text[], %(bodies)s::text[]) as own (schema_name, body)
        where
            pg_proc.pronamespace = to_regnamespace(own.schema_name) and pg_proc.prosrc = own.body
            -- Names in it mean what they mean, wherever the caller looks.
            and (proconfig is null or proconfig = '{{"search_path=pg_catalog, pg_temp"}}')
    )
    and not exists (
        select 1 from pg_depend
        where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
    )
union
select pg_proc.oid::regprocedure::text || ' in ' || expressions.place
from expressions
cross join regexp_matches(expressions.tree, ':(?:op)?(?:func|fn|aggfno|winfno)id ([0-9]+)', 'g') as calls (function)
inner join pg_proc on pg_proc.oid = calls.function[1]::oid
where
    (pg_proc.provolatile = 'v' or (pg_proc.provolatile = 's' and pg_proc.proname ~ '_to_xml|^pg_|^current_setting$'))
    and not (pg_proc.pronamespace = 'pg_catalog'::regnamespace and pg_proc.proname = any(%(harmless)s))
    and pg_proc.proowner not in (table builders)
union
select pg_class.oid::regclass::text || ' in ' || expressions.place
from expressions
cross join regexp_matches(expressions.tree, ':relid ([0-9]+)', 'g') as relations (relation)
inner join pg_class on pg_class.oid = relations.relation[1]::oid
where
    expressions.is_readers
    and not (
        pg_class.relnamespace::regnamespace::text = any(%(places)s)
        or format('%%s.%%s', pg_class.relnamespace::regnamespace, pg_class.relname) = any(%(raw)s)
    )
order by 1
""").format(builders=_BUILDERS)
