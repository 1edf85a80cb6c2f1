-- Whatever lets somebody read more than they should, one row a finding (issue 7). Parameters: marts (names that their
-- YAML declares), personal (schema.relation.column that analysts may not read), declared (relation and role of `grants:` in models).
with

schemas as (

    select schema_name from access.mart_schemas
    union all
    select unnest(
        array['live', 'analysis', 'intermediate', 'staging', 'quality', 'scoring', 'build', 'access', 'change_tracking']
    )

),

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
        nspname in (select schema_name from access.mart_schemas) as is_mart,
        exists (
            select 1 from pg_attribute
            where attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped
        ) as has_tenant
    from pg_class
    inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
    where
        relkind in ('r', 'p', 'v', 'm', 'f')
        and nspname in (select schema_name from schemas)

),

-- Who may make roles can give itself any, and becomes a member to give one away.
readers as (

    select
        oid,
        rolname
    from pg_roles
    where rolcanlogin and not rolsuper and not rolcreaterole

),

raw_tables as (

    select
        pg_class.oid,
        pg_class.oid::regclass::text as relation,
        relacl,
        relrowsecurity
    from pg_class
    inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
    inner join access.raw_tables on nspname = raw_tables.schema_name and relname = raw_tables.table_name

),

functions as (

    select
        pg_proc.oid::regprocedure::text as signature,
        nspname,
        proowner,
        prosecdef,
        coalesce(proconfig, '{}') as proconfig,
        coalesce(proacl, acldefault('f', proowner)) as acl
    from pg_proc
    inner join pg_namespace on pg_proc.pronamespace = pg_namespace.oid
    where
        nspname in (select schema_name from schemas)

),

-- Who else than the owner may do what, and with which columns.
rights as (

    select
        ours.oid,
        ours.relation,
        ours.nspname,
        ours.is_mart,
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
        ours.is_mart,
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
    and (is_mart or nspname in ('intermediate', 'quality', 'scoring'))
    and not (relrowsecurity and (relforcerowsecurity or nspname in ('quality', 'scoring')))
union all
select
    'no_tenant',
    relation,
    'has no tenant_id, so that no policy can hold it'
from ours
where relkind in ('r', 'p') and not has_tenant and (is_mart or nspname = 'intermediate')
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
    and (ours.is_mart or ours.nspname in ('intermediate', 'quality', 'scoring'))
union all
select
    'policy_missing',
    relation,
    'lacks the policy agentp_bot, or has it otherwise than it should be'
from ours
where
    relation = 'dashboard.outbox' and access.has_roles() and not exists (
        select 1 from access.policies
        where policies.relation = ours.oid and policies.name = 'agentp_bot' and policies.grantees = '{agentp_bot}'
    )
union all
select
    'policy_foreign',
    ours.relation,
    'has the policy ' || policies.name || ' for ' || array_to_string(policies.grantees, ', ') || ', which is not of this project'
from ours
inner join access.policies on ours.oid = policies.relation
where
    policies.is_permissive
    and (ours.is_mart or ours.nspname in ('intermediate', 'quality', 'scoring'))
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
    or (privilege_type = 'SELECT' and relation || ' ' || grantee_name = any (%(declared)s))
    or (privilege_type = 'SELECT' and (is_mart or nspname = 'live') and grantee_name in ('agentp_reader', 'agentp_admin', 'authenticated'))
    or (
        privilege_type = 'SELECT' and (is_mart or nspname = 'live') and grantee_name = 'agentp_analyst'
        and column_name is not null and not relation || '.' || column_name = any (%(personal)s)
    )
    or (
        privilege_type = 'SELECT' and (is_mart or nspname = 'live') and grantee_name = 'agentp_analyst'
        and column_name is null and not exists (
            select 1 from unnest(%(personal)s::text []) as personal where starts_with(personal, relation || '.')
        )
    )
    or (privilege_type = 'SELECT' and nspname = 'analysis' and grantee_name in ('agentp_analyst', 'agentp_admin'))
    or (privilege_type = 'SELECT' and nspname in ('quality', 'scoring') and grantee_name = 'agentp_admin')
    or (privilege_type = 'SELECT' and nspname = 'quality' and relname = any (%(for_analysts)s) and grantee_name = 'agentp_analyst')
    or (
        relation = 'dashboard.outbox' and grantee_name in ('agentp_bot', 'service_role')
        and (privilege_type = 'SELECT' or (privilege_type = 'UPDATE' and column_name in ('status', 'sent_at')))
    )
    or (relation = 'access.logins' and grantee_name in ('agentp_admin', 'public') and privilege_type = 'SELECT')
    -- The triggers of the raw tables write the queues, whoever the bots are.
    or (nspname = 'change_tracking' and privilege_type = 'INSERT')
)
union all
-- One line for all of it: on Supabase every table in `public` is granted to those who have the project's public key.
select
    'raw_readable',
    string_agg(distinct raw_tables.relation, ', ' order by raw_tables.relation),
    'hold secrets and people''s words, and '
    || string_agg(distinct case when acl.grantee = 0 then 'public' else pg_get_userbyid(acl.grantee)::text end, ', ')
    || ' may ' || lower(string_agg(distinct acl.privilege_type, ', '))
from raw_tables
cross join lateral aclexplode(raw_tables.relacl) as acl
where
    (acl.grantee = 0 or pg_get_userbyid(acl.grantee) in (
        'agentp_reader', 'agentp_chain', 'agentp_analyst', 'agentp_bot', 'agentp_app', 'anon', 'authenticated'
    ))
    -- Row security with policies of the bots' own is their decision.
    and not (raw_tables.relrowsecurity and pg_get_userbyid(acl.grantee) in ('anon', 'authenticated'))
having count(*) > 0
union all
select
    'reader_of_raw',
    logins.rolname || ' on ' || string_agg(raw_tables.relation, ', ' order by raw_tables.relation),
    'a login that reads marts also reads raw tables, where the secrets are'
from raw_tables
cross join readers as logins
where
    has_any_column_privilege(logins.oid, raw_tables.oid, 'select')
    -- What everybody may is told of above, once.
    and not exists (
        select 1 from aclexplode(raw_tables.relacl) as acl where acl.grantee = 0 and acl.privilege_type = 'SELECT'
    )
    and (
        access.is_member(logins.oid, 'agentp_reader') or access.is_member(logins.oid, 'agentp_analyst')
        or access.is_member(logins.oid, 'agentp_bot')
    )
    and not access.is_member(logins.oid, 'agentp_builder')
group by logins.rolname
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
        -- Who makes a role is made its administrator, and becomes a member to give it away.
        and not exists (
            select 1 from pg_auth_members as administered
            where
                administered.roleid = pg_auth_members.roleid and administered.member = pg_auth_members.member
                and administered.admin_option
        )
        -- Supabase's key for servers reads messages of every salon.
        and not (pg_roles.rolname = 'service_role' and pg_get_userbyid(roleid) = 'agentp_bot')
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
from readers
where
    access.is_member(oid, 'agentp_analyst')
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
-- Functions of triggers too: whoever may execute one may make a trigger of it, on a table of types and casts of their own.
select
    'function_of_owner',
    functions.signature,
    'works with its owner''s rights, and '
    || case when acl.grantee = 0 then 'everybody' else pg_get_userbyid(acl.grantee)::text end || ' may call it or make a trigger of it'
from functions
cross join lateral aclexplode(functions.acl) as acl
where functions.prosecdef and acl.grantee <> functions.proowner
union all
select
    'function_without_path',
    signature,
    'works with its owner''s rights, and finds tables and operators where the caller''s search_path says'
from functions
where prosecdef and not exists (select 1 from unnest(proconfig) as setting where setting like 'search\_path=%%')
union all
select
    'access_not_owners',
    place,
    'belongs to who builds, who can say what it does when an owner calls it'
from (
    select
        'schema ' || nspname as place,
        nspowner as owner
    from pg_namespace
    where nspname in ('access', 'change_tracking')
    union all
    select
        signature,
        proowner
    from functions
    where nspname in ('access', 'change_tracking')
    union all
    select
        relation,
        relowner
    from ours
    where nspname in ('access', 'change_tracking')
) as owned
where
    owner = to_regrole('agentp_builder')
    or exists (
        select 1
        from pg_roles
        where
            pg_roles.oid = owned.owner and access.is_member(pg_roles.oid, 'agentp_builder') and not rolsuper and not rolcreaterole
            and pg_roles.oid <> (select datdba from pg_database where datname = current_database())
    )
union all
select
    'names_itself',
    rolname,
    'has a reader''s role and may become `authenticated`, where it says itself whose rows it sees'
from readers
where
    rolname <> 'authenticator' and to_regrole('authenticator') is not null
    and coalesce(pg_has_role(oid, to_regrole('authenticated'), 'member'), false)
    and (
        access.is_member(oid, 'agentp_reader') or access.is_member(oid, 'agentp_analyst')
        or access.is_member(oid, 'agentp_bot')
    )
    and not access.is_member(oid, 'agentp_builder')
union all
select
    'schema_open',
    nspname,
    case when acl.grantee = 0 then 'everybody' else pg_get_userbyid(acl.grantee)::text end || ' may create in it'
from pg_namespace
cross join lateral aclexplode(nspacl) as acl
where
    acl.privilege_type = 'CREATE' and acl.grantee <> nspowner
    and (
        nspname in (select schema_name from schemas)
        -- Whoever may create where everybody looks for functions is called by everybody.
        or nspname = 'public' and (
            acl.grantee = 0
            or pg_get_userbyid(acl.grantee) in ('anon', 'authenticated', 'agentp_builder')
            or access.is_member(acl.grantee, 'agentp_reader')
        )
    )
order by 1, 2, 3
