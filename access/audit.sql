-- Whatever lets somebody read more than they should, one row a finding (issue 7). Parameters: marts (names that their
-- YAML declares), personal (schema.relation.column that analysts may not read).
with

ours as (

    select
        pg_class.oid,
        pg_class.oid::regclass::text as relation,
        nspname,
        relname,
        relkind,
        relowner,
        relrowsecurity,
        relforcerowsecurity,
        relacl,
        coalesce(reloptions, '{}') as options,
        exists (
            select 1 from pg_attribute
            where attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped
        ) as has_tenant
    from pg_class
    inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where
        relkind in ('r', 'p', 'v', 'm', 'f')
        and nspname in (
            'dashboard', 'live', 'analysis', 'intermediate', 'staging', 'quality', 'scoring', 'build', 'access', 'change_tracking'
        )

),

raw_tables as (

    select
        pg_class.oid,
        pg_class.oid::regclass::text as relation,
        relacl
    from pg_class
    where
        relnamespace = 'public'::regnamespace
        and relname in (
            'tenants_v2', 'clients_v2', 'conversation_sessions_v2', 'recent_history_v2', 'wishlist_v2', 'active_sessions_v2',
            'user_ltm_v2'
        )

),

-- Who else than the owner may do what, and with which columns.
rights as (

    select
        ours.oid,
        ours.relation,
        ours.nspname,
        ours.relname,
        null::text as column_name,
        acl.grantee,
        acl.privilege_type
    from ours
    cross join lateral aclexplode(ours.relacl) as acl
    where acl.grantee <> ours.relowner
    union all
    select
        ours.oid,
        ours.relation,
        ours.nspname,
        ours.relname,
        pg_attribute.attname,
        acl.grantee,
        acl.privilege_type
    from ours
    inner join pg_attribute on ours.oid = pg_attribute.attrelid
    cross join lateral aclexplode(pg_attribute.attacl) as acl
    where acl.grantee <> ours.relowner

),

named_rights as (

    select
        rights.*,
        case when grantee = 0 then 'public' else pg_get_userbyid(grantee)::text end as grantee_name
    from rights

)

select
    'no_row_security' as problem,
    relation,
    'rows of every salon are shown to whoever may read it' as detail
from ours
where
    relkind in ('r', 'p') and has_tenant and relname not like 'scratch\_%%'
    and nspname in ('dashboard', 'intermediate', 'quality', 'scoring')
    and not (relrowsecurity and (relforcerowsecurity or nspname in ('quality', 'scoring')))
union all
select
    'no_tenant',
    relation,
    'has no tenant_id, so that no policy can hold it'
from ours
where relkind in ('r', 'p') and not has_tenant and nspname in ('dashboard', 'intermediate')
union all
select
    'policy_missing',
    ours.relation,
    'lacks the policy ' || wanted.name || ', or has it otherwise than it should be'
from ours
cross join lateral (
    select name, command, grantees, condition, check_condition from access.want_policies(ours.oid)
    except
    select name, command, grantees, condition, check_condition
    from access.policies
    where policies.relation = ours.oid and policies.is_permissive
) as wanted
where
    ours.relkind in ('r', 'p') and ours.relrowsecurity and ours.has_tenant
    and ours.nspname in ('dashboard', 'intermediate', 'quality', 'scoring')
union all
select
    'policy_foreign',
    ours.relation,
    'has the policy ' || policies.name || ' for ' || array_to_string(policies.grantees, ', ') || ', which is not of this project'
from ours
inner join access.policies on ours.oid = policies.relation
where
    policies.is_permissive
    and ours.nspname in ('dashboard', 'intermediate', 'quality', 'scoring')
    and not policies.name in ('agentp_owner', 'agentp_tenants', 'agentp_every_tenant', 'agentp_analyst')
    and not (policies.name = 'agentp_bot' and ours.relation = 'dashboard.outbox')
union all
select
    'view_of_owner',
    relation,
    'reads with its owner''s rights: it needs security_invoker'
from ours
where relkind = 'v' and nspname not in ('live', 'staging') and not 'security_invoker=true' = any (options)
union all
select
    'view_not_cut',
    ours.relation,
    'shows every salon''s rows to whoever may read it'
from ours
where
    ours.relkind = 'v' and ours.nspname = 'live'
    and (
        not 'security_barrier=true' = any (ours.options)
        or pg_get_viewdef(ours.oid) not like '%%access.tenants()%%access.sees_every_tenant()%%'
    )
union all
-- Views and materialized views elsewhere that read ours with their owner's rights.
select distinct
    'view_elsewhere',
    views.oid::regclass::text,
    'shows rows of ' || ours.relation || ' with its owner''s rights, past row level security'
from pg_depend
inner join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
inner join pg_class as views on pg_rewrite.ev_class = views.oid
inner join ours on pg_depend.refobjid = ours.oid and pg_depend.refclassid = 'pg_class'::regclass
where
    views.relkind in ('v', 'm') and views.oid not in (select ours.oid from ours)
    and (views.relkind = 'm' or not 'security_invoker=true' = any (coalesce(views.reloptions, '{}')))
union all
select
    'materialized_view',
    relation,
    'row level security cannot hold a materialized view'
from ours
where relkind in ('m', 'f')
union all
select
    'grant_too_wide',
    relation || coalesce('.' || column_name, ''),
    grantee_name || ' may ' || lower(privilege_type)
from named_rights
where not (
    grantee_name = 'agentp_builder'
    or (privilege_type = 'SELECT' and nspname in ('dashboard', 'live') and grantee_name in ('agentp_reader', 'agentp_admin', 'authenticated'))
    or (
        privilege_type = 'SELECT' and nspname in ('dashboard', 'live') and grantee_name = 'agentp_analyst'
        and column_name is not null and not relation || '.' || column_name = any (%(personal)s)
    )
    or (
        privilege_type = 'SELECT' and nspname in ('dashboard', 'live') and grantee_name = 'agentp_analyst'
        and column_name is null and not exists (
            select 1 from unnest(%(personal)s::text []) as personal where starts_with(personal, relation || '.')
        )
    )
    or (privilege_type = 'SELECT' and nspname = 'analysis' and grantee_name in ('agentp_analyst', 'agentp_admin'))
    or (privilege_type = 'SELECT' and nspname in ('quality', 'scoring') and grantee_name = 'agentp_admin')
    or (privilege_type = 'SELECT' and nspname = 'quality' and relname = any (%(for_analysts)s) and grantee_name = 'agentp_analyst')
    or (
        relation = 'dashboard.outbox' and grantee_name = 'agentp_bot'
        and (privilege_type = 'SELECT' or (privilege_type = 'UPDATE' and column_name in ('status', 'sent_at')))
    )
    or (relation = 'access.logins' and (grantee_name = 'agentp_admin' or (grantee_name = 'public' and privilege_type = 'SELECT')))
    -- The triggers of the raw tables write the queues, whoever the bots are.
    or (nspname = 'change_tracking' and privilege_type = 'INSERT')
)
union all
select
    'raw_readable',
    raw_tables.relation,
    pg_get_userbyid(acl.grantee)::text || ' may ' || lower(acl.privilege_type) || ', and the raw tables hold secrets'
from raw_tables
cross join lateral aclexplode(raw_tables.relacl) as acl
where
    acl.grantee <> 0
    and pg_get_userbyid(acl.grantee) in ('agentp_reader', 'agentp_chain', 'agentp_analyst', 'agentp_bot', 'agentp_app', 'anon', 'authenticated')
union all
select
    'raw_readable',
    raw_tables.relation,
    'everybody may ' || lower(acl.privilege_type) || ', and the raw tables hold secrets'
from raw_tables
cross join lateral aclexplode(raw_tables.relacl) as acl
where acl.grantee = 0
union all
select
    'reader_of_raw',
    logins.rolname || ' on ' || raw_tables.relation,
    'a login that reads marts also reads raw tables, where the secrets are'
from raw_tables
cross join pg_roles as logins
where
    logins.rolcanlogin and not logins.rolsuper
    and has_any_column_privilege(logins.oid, raw_tables.oid, 'select')
    and (
        access.is_member(logins.oid, 'agentp_reader') or access.is_member(logins.oid, 'agentp_analyst')
        or access.is_member(logins.oid, 'agentp_bot')
    )
    and not access.is_member(logins.oid, 'agentp_builder')
union all
select
    'reader_bypasses',
    rolname,
    'is above row level security (' || case when rolsuper then 'superuser' else 'bypassrls' end || ') and has a reader''s role'
from pg_roles
where
    (rolsuper or rolbypassrls)
    and exists (
        select 1 from pg_auth_members
        where member = pg_roles.oid and pg_get_userbyid(roleid) in ('agentp_reader', 'agentp_chain', 'agentp_analyst', 'agentp_bot')
        -- Who makes a role is made its administrator.
        and not admin_option
    )
union all
select
    'role_can_log_in',
    rolname,
    'is a role that logins are members of, and can log in itself'
from pg_roles
where rolcanlogin and rolname in (
    'agentp_reader', 'agentp_chain', 'agentp_analyst', 'agentp_admin', 'agentp_bot'
)
union all
select
    'two_roles',
    rolname,
    'is analyst and reader at once: it sees every salon''s rows in one way, or one salon''s names in the other'
from pg_roles
where
    rolcanlogin and not rolsuper and access.is_member(oid, 'agentp_analyst')
    and access.is_member(oid, 'agentp_reader')
union all
select
    'login_unknown',
    logins.login,
    'is named salons, and the server knows no such login'
from access.logins
left join pg_roles on logins.login = pg_roles.rolname
where pg_roles.rolname is null
group by logins.login
union all
select
    'function_of_owner',
    pg_proc.oid::regprocedure::text,
    'works with its owner''s rights, and everybody may call it'
from pg_proc
inner join pg_namespace on pg_proc.pronamespace = pg_namespace.oid
where
    prosecdef and prorettype <> 'trigger'::regtype
    and nspname in ('dashboard', 'live', 'analysis', 'intermediate', 'staging', 'quality', 'scoring', 'build', 'access', 'change_tracking')
union all
select
    'schema_open',
    nspname,
    case when acl.grantee = 0 then 'everybody' else pg_get_userbyid(acl.grantee)::text end || ' may create in it'
from pg_namespace
cross join lateral aclexplode(nspacl) as acl
where
    acl.privilege_type = 'CREATE' and acl.grantee <> nspowner
    and nspname in ('dashboard', 'live', 'analysis', 'intermediate', 'staging', 'quality', 'scoring', 'build', 'access')
order by 1, 2, 3
