"""What Supabase's linter warns of, in queries of our own: https://supabase.com/docs/guides/database/database-advisors.

Each returns the places of one kind of finding. The view `relations` that they read has the relations of every schema
that is not the system's; what the API shows is `%(api)s`. Left out: what is about statistics of use (unused_index),
other products' tables (auth, storage) and settings of the project.
"""

from __future__ import annotations

from collections.abc import Mapping

from agentp.locks import BUILDS
from agentp.schemas import SCHEMA_LOCK
from systems.agent_p import SYSTEM

PREPARATION = """
create temporary view schemas as
select oid, nspname from pg_namespace
where nspname not in ('information_schema', 'extensions') and nspname !~ '^pg_';
create temporary view relations as
select
    pg_class.oid, pg_class.oid::regclass::text as place, nspname, relkind, relrowsecurity,
    coalesce(reloptions, '{}') as options
from pg_class join schemas on schemas.oid = relnamespace;
create temporary view policies as
select
    polrelid, polrelid::regclass::text || ': ' || polname as place, polpermissive, polcmd, polroles,
    concat(pg_get_expr(polqual, polrelid), ' ', pg_get_expr(polwithcheck, polrelid)) as condition
from pg_policy;
create temporary view functions as
select
    pg_proc.oid, pg_proc.oid::regprocedure::text as place, prosecdef,
    exists (select 1 from unnest(proconfig) as setting where setting like 'search_path=%') as has_path
from pg_proc join schemas on schemas.oid = pronamespace
where not exists (select 1 from pg_depend where objid = pg_proc.oid and deptype = 'e');
"""

LINTS: Mapping[str, str] = {
    "rls_disabled_in_public": """
        select place from relations where relkind in ('r', 'p') and not relrowsecurity and nspname = any(%(api)s)
    """,
    "rls_enabled_no_policy": """
        select place from relations
        where relkind in ('r', 'p') and relrowsecurity
        and not exists (select 1 from pg_policy where polrelid = relations.oid)
    """,
    "policy_exists_rls_disabled": """
        select policies.place from policies join relations on polrelid = relations.oid where not relrowsecurity
    """,
    "rls_policy_always_true": """
        select place from policies
        where polpermissive and polcmd <> 'r' and 0 = any(polroles) and condition ~ '^true|true$'
    """,
    # For one role and one command Postgres asks every permissive policy that is for that role.
    "multiple_permissive_policies": """
        select format('%%s: %%s for %%s', polrelid::regclass, rolname, command)
        from policies
        join pg_roles on pg_roles.oid = any(polroles) or 0 = any(polroles)
        cross join lateral unnest(
            case polcmd when '*' then array['r', 'a', 'w', 'd'] else array[polcmd::text] end
        ) as command
        where polpermissive and not rolbypassrls and not rolsuper and rolname !~ '^pg_'
        group by polrelid, rolname, command having count(*) > 1
    """,
    "auth_rls_initplan": r"""
        select place from policies
        where regexp_replace(condition, '\(\s*select\s+\S+\([^()]*\)', '', 'gi')
        ~ '(auth|access)\.[a-z_]+\(|current_setting\('
    """,
    "rls_references_user_metadata": "select place from policies where condition like '%%user_metadata%%'",
    "security_definer_view": """
        select place from relations
        where relkind = 'v' and nspname = any(%(api)s)
        and not options && array['security_invoker=true', 'security_invoker=on']
    """,
    "materialized_view_in_api": "select place from relations where relkind = 'm' and nspname = any(%(api)s)",
    "foreign_table_in_api": "select place from relations where relkind = 'f' and nspname = any(%(api)s)",
    "function_search_path_mutable": "select place from functions where not has_path",
    "security_definer_function_executable": """
        select place from functions
        where prosecdef and (
            has_function_privilege('anon', oid, 'execute') or has_function_privilege('authenticated', oid, 'execute')
        )
    """,
    "extension_in_public": "select extname::text from pg_extension where extnamespace = 'public'::regnamespace",
    "no_primary_key": """
        select place from relations
        where relkind = 'r' and not exists (select 1 from pg_index where indrelid = relations.oid and indisprimary)
    """,
    "duplicate_index": """
        select place || ': ' || string_agg(indexrelid::regclass::text, ', ')
        from pg_index join relations on relations.oid = indrelid
        group by place, regexp_replace(pg_get_indexdef(indexrelid), 'INDEX .* ON ', '') having count(*) > 1
    """,
    "unindexed_foreign_keys": """
        select place || ': ' || conname
        from pg_constraint join relations on relations.oid = conrelid
        where contype = 'f' and not exists (
            select 1 from pg_index
            where indrelid = conrelid
            and (string_to_array(indkey::text, ' ')::smallint[])[1:cardinality(conkey)] @> conkey
        )
    """,
}
"""Queries by the linter's name for the finding."""

NEVER_DELETED = "salons are not deleted, and an index that nothing asks for slows down every row that a bot writes"
FEW = "sessions that are at work are few"
INLINED = "Postgres puts no function with settings in the place of its column; its body looks for nothing by the path"
LOCK = "what processes lock; it has neither rows nor columns"
SCRATCH = "a check's own, filled and emptied within it"
KNOWN: Mapping[str, Mapping[str, str]] = {
    "function_search_path_mutable": {
        f"staging.{column}({table})": INLINED for table, columns in SYSTEM.columns.items() for column in columns
    },
    "no_primary_key": {
        f"quality.{table}": SCRATCH
        for table in ("scratch_failures", "scratch_links", "scratch_rows", "scratch_set_aside")
    }
    | {f"build.lock_{lock}": LOCK for lock in (BUILDS, SCHEMA_LOCK)},
    "unindexed_foreign_keys": {
        f"{table}: {table}_tenant_id_fkey": NEVER_DELETED
        for table in (
            "active_sessions_v2", "clients_v2", "conversation_sessions_v2", "recent_history_v2", "user_ltm_v2",
            "wishlist_v2",
        )
    } | {"active_sessions_v2: active_sessions_v2_user_id_fkey": FEW},
}  # fmt: skip
"""What is so on purpose, each place with the reason."""
