-- Who may read what (issue 7; DESIGN, decision 8). Looks before it makes: any number of times, on a live database.
--
-- Which salons a reader sees comes from what the reader cannot set:
--   behind Supabase    the claim `tenant_ids` of the token, at its top or under `app_metadata`: in sessions of the
--                      authenticator, where PostgREST sets `request.jwt.claims`, and wherever somebody has become
--                      `authenticated`, as Realtime does: only Supabase's own servers may, and who may can be anybody to
--                      every policy there is (`agentp doctor` tells of a login of a reader that could)
--   agentp_app         the setting `app.tenant_ids`: that login is a trusted application's, and nobody else's counts
--   every other login  the table `access.logins`, by who the login is
-- What is absent, malformed or unknown is no salon, never an error.

do $$
begin
    if to_regnamespace('access') is null then create schema access; end if;
    if to_regnamespace('live') is null then create schema live; end if;
    if to_regnamespace('analysis') is null then create schema analysis; end if;
end
$$;
comment on schema live is
'The rows of the live views, read with their owner''s rights and cut to the reader''s salons: no reader needs a right on a raw table.';
comment on schema analysis is 'Every mart without what tells of a person: for agentp_analyst.';

-- One row per login and salon that it may read: `agentp grant` and `agentp revoke` write it.
create table if not exists access.logins (
    tenant_id uuid not null,
    login text not null,
    granted_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, login)
);
create index if not exists logins_login on access.logins (login);

-- A reader sees which salons are theirs, and nobody else's.
alter table access.logins enable row level security;
drop policy if exists own on access.logins;
create policy own on access.logins for select
using (login = current_user or coalesce(pg_has_role(current_user, to_regrole('agentp_admin'), 'usage'), false));
grant usage on schema access to public;
grant select on access.logins to public;

-- The salons that a list of ids names: none where one of them is no id.
create or replace function access.parse_ids(ids text []) returns uuid []
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select case when bool_and(tenant_id is not null) then array_agg(tenant_id) else '{}'::uuid [] end
    from (
        select case
            when btrim(id) ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then btrim(id)::uuid
        end as tenant_id
        from unnest(ids) as id
    ) as named
$$;

-- The salons that a token's claims name. `user_metadata` is the user's own to write, and is not looked at.
create or replace function access.parse_claims(claims text) returns uuid []
language plpgsql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
declare
    token jsonb;
    named jsonb;
begin
    token := nullif(claims, '')::jsonb;
    named := coalesce(
        token -> 'tenant_ids', token -> 'tenant_id',
        token -> 'app_metadata' -> 'tenant_ids', token -> 'app_metadata' -> 'tenant_id'
    );
    return case jsonb_typeof(named)
        when 'string' then access.parse_ids(array[named #>> '{}'])
        when 'array' then access.parse_ids(array(select element #>> '{}' from jsonb_array_elements(named) as element))
        else '{}'
    end;
exception
    when others then return '{}';
end
$$;

-- The salons of whoever asks.
create or replace function access.tenants() returns uuid []
language plpgsql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user = 'authenticator' or current_user = 'authenticated' then
        return access.parse_claims(current_setting('request.jwt.claims', true));
    elsif session_user = 'agentp_app' or current_user = 'agentp_app' then
        return access.parse_ids(string_to_array(current_setting('app.tenant_ids', true), ','));
    end if;
    return coalesce((select array_agg(logins.tenant_id) from access.logins where logins.login = current_user), '{}');
end
$$;

-- Whether somebody has a role's rights; a role that does not exist gives none.
create or replace function access.has_role(role_name text) returns boolean
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(pg_has_role(current_user, to_regrole(role_name), 'usage'), false)
$$;

-- Whether a role has another's rights; one that does not exist gives none.
create or replace function access.is_member(role_id oid, role_name text) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(pg_has_role(role_id, to_regrole(role_name), 'usage'), false)
$$;

-- Make whoever gives a role away a member with its rights: since Postgres 16 who makes a role administers it, no more.
create or replace function access.join_role(role_name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('server_version_num')::integer < 160000 then
        if not pg_has_role(current_user, role_name, 'member') then
            execute format('grant %I to %I', role_name, current_user);
        end if;
    elsif not (pg_has_role(current_user, role_name, 'usage') and pg_has_role(current_user, role_name, 'set')) then
        execute format('grant %I to %I with inherit true, set true', role_name, current_user);
    end if;
end
$$;

-- Whether whoever asks sees every salon: who builds, the chain, and analysts, whose columns tell of nobody. An analyst who
-- reads one salon's names as well is not shown every salon's.
create or replace function access.sees_every_tenant() returns boolean
language sql stable parallel restricted
set search_path = pg_catalog, pg_temp
as $$
    select
        access.has_role('agentp_chain')
        or (access.has_role('agentp_analyst') and not access.has_role('agentp_reader'))
        or exists (
            select 1
            from pg_namespace
            where nspname in ('access', 'dashboard') and pg_has_role(current_user, nspowner, 'usage')
        )
        or exists (select 1 from pg_roles where rolname = current_user and (rolsuper or rolbypassrls))
$$;

-- The policies that every mart has, on a table of no rows: what each mart's are compared with, and copied from.
create table if not exists access.pattern (tenant_id uuid not null primary key);

-- Whether this database has the roles: the server may have them for another one's sake.
create or replace function access.has_roles() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(obj_description('access.pattern'::regclass, 'pg_class') = 'with roles', false)
$$;

-- Who reads by salon; everybody, where there are no roles and somebody was let in by hand.
create or replace function access.find_readers() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(string_agg(quote_ident(rolname), ', ' order by rolname), 'public')
    from pg_roles
    where
        access.has_roles()
        and (
            rolname in ('agentp_reader', 'agentp_bot')
            or (rolname = 'authenticated' and to_regrole('authenticator') is not null)
        )
$$;

create or replace function access.make_pattern() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    alter table access.pattern enable row level security, force row level security;
    drop policy if exists agentp_owner on access.pattern;
    drop policy if exists agentp_tenants on access.pattern;
    drop policy if exists agentp_every_tenant on access.pattern;
    drop policy if exists agentp_analyst on access.pattern;
    create policy agentp_owner on access.pattern to current_user using (true) with check (true);
    -- To the roles that read by salon, and not to everybody: of two policies for one role Postgres asks both, row by row.
    execute 'create policy agentp_tenants on access.pattern for select to ' || access.find_readers()
        || ' using (tenant_id = any ((select access.tenants())::uuid []))';
    -- Policies of their own, for these roles alone: a condition "or" would keep readers from the index.
    if access.has_roles() and to_regrole('agentp_chain') is not null then
        create policy agentp_every_tenant on access.pattern for select to agentp_chain using (true);
    end if;
    if access.has_roles() and to_regrole('agentp_analyst') is not null then
        create policy agentp_analyst on access.pattern for select to agentp_analyst
        using ((select access.sees_every_tenant()));
    end if;
end
$$;
select access.make_pattern();

create or replace view access.policies with (security_invoker = true) as
select
    policies.polrelid as relation,
    policies.polname as name,
    policies.polpermissive as is_permissive,
    case policies.polcmd
        when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
    end as command,
    array(
        select case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
        from unnest(policies.polroles) as grantee
        order by 1
    ) as grantees,
    pg_get_expr(policies.polqual, policies.polrelid) as condition,
    pg_get_expr(policies.polwithcheck, policies.polrelid) as check_condition
from pg_policy as policies;

-- What a mart's policies should be: those of the pattern, the owner's for the mart's own owner.
create or replace function access.want_policies(relation regclass)
returns table (name name, command text, grantees text [], condition text, check_condition text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        policies.name,
        policies.command,
        case policies.name
            when 'agentp_owner' then array[quote_ident(pg_get_userbyid(pg_class.relowner))] else policies.grantees
        end,
        policies.condition,
        policies.check_condition
    from access.policies
    cross join pg_class
    where policies.relation = 'access.pattern'::regclass and pg_class.oid = want_policies.relation
$$;

create or replace function access.put_policies(relation regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted record;
begin
    for wanted in
        select name, command, grantees, condition, check_condition from access.want_policies(relation)
        except
        select name, command, grantees, condition, check_condition
        from access.policies as policies
        where policies.relation = put_policies.relation and policies.is_permissive
    loop
        execute format('drop policy if exists %I on %s', wanted.name, relation);
        execute format(
            'create policy %I on %s for %s to %s using (%s)', wanted.name, relation, wanted.command,
            array_to_string(wanted.grantees, ', '), wanted.condition
        ) || coalesce(' with check (' || wanted.check_condition || ')', '');
    end loop;
end
$$;

-- Raw tables with row security: whoever builds reads all of their rows, and may write the memories' figures where granted.
create or replace function access.open_raw_tables() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted record;
begin
    if not access.has_roles() or to_regrole('agentp_builder') is null then
        return;
    end if;
    for wanted in
        select pg_class.oid::regclass as relation, policies.name, policies.command, policies.condition
        from pg_class
        inner join (
            values ('agentp_builder_reads', 'select', 'using (true)'),
            ('agentp_builder_writes', 'update', 'using (true) with check (true)')
        ) as policies (name, command, condition)
            on policies.command = 'select' or pg_class.relname = 'user_ltm_v2'
        where
            pg_class.relnamespace = 'public'::regnamespace and pg_class.relkind in ('r', 'p') and pg_class.relrowsecurity
            and pg_class.relname in (
                'tenants_v2', 'clients_v2', 'conversation_sessions_v2', 'recent_history_v2', 'wishlist_v2',
                'active_sessions_v2', 'user_ltm_v2'
            )
            and pg_has_role(current_user, pg_class.relowner, 'usage')
            and has_table_privilege('agentp_builder', pg_class.oid, 'select')
            and not exists (
                select 1 from access.policies as present where present.relation = pg_class.oid and present.name = policies.name
            )
    loop
        execute format(
            'create policy %I on %s for %s to agentp_builder %s', wanted.name, wanted.relation, wanted.command, wanted.condition
        );
    end loop;
end
$$;

-- Let the roles look into the schemas of marts. Before models are built, several at a time: two that grant on the same
-- schema at once would each find the other's row "concurrently updated".
create or replace function access.open_schemas() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted record;
begin
    if not access.has_roles() then
        return;
    end if;
    for wanted in
        select schemas.name as schema_name, roles.name as role_name
        from (values ('dashboard'), ('live'), ('analysis'), ('quality'), ('scoring')) as schemas (name)
        cross join (
            values ('agentp_reader'), ('agentp_analyst'), ('agentp_admin'), ('agentp_bot'), ('authenticated')
        ) as roles (name)
        where
            to_regnamespace(schemas.name) is not null
            and to_regrole(roles.name) is not null
            and (roles.name <> 'authenticated' or to_regrole('authenticator') is not null)
            and case schemas.name
                when 'scoring' then roles.name = 'agentp_admin'
                when 'quality' then roles.name in ('agentp_admin', 'agentp_analyst')
                when 'dashboard' then true
                else roles.name <> 'agentp_bot'
            end
            and not has_schema_privilege(roles.name, schemas.name, 'usage')
    loop
        execute format('grant usage on schema %I to %I', wanted.schema_name, wanted.role_name);
    end loop;
end
$$;

-- Let a role that may look into the schema read a relation's columns but those withheld; nothing is altered where it is so already.
create or replace function access.give(relation regclass, role_name text, withheld text []) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    place pg_class := (select pg_class from pg_class where oid = relation);
    receiver oid := to_regrole(role_name);
    is_whole boolean;
    given text [];
    wanted text [];
begin
    if receiver is null or not access.has_roles() then
        return;
    end if;
    is_whole := exists (
        select 1 from aclexplode(place.relacl) as acl where acl.grantee = receiver and acl.privilege_type = 'SELECT'
    );
    select
        coalesce(array_agg(quote_ident(attname) order by attnum) filter (where not attname = any (withheld)), '{}'),
        coalesce(
            array_agg(quote_ident(attname) order by attnum) filter (where exists (
                select 1 from aclexplode(attacl) as acl where acl.grantee = receiver and acl.privilege_type = 'SELECT'
            )), '{}'
        )
    into wanted, given
    from pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped;
    if cardinality(withheld) = 0 then
        if not is_whole then
            execute format('grant select on %s to %I', relation, role_name);
        end if;
    elsif is_whole or given is distinct from wanted then
        execute format('revoke all on %s from %I', relation, role_name);
        if cardinality(wanted) > 0 then
            execute format('grant select (%s) on %s to %I', array_to_string(wanted, ', '), relation, role_name);
        end if;
    end if;
end
$$;

-- Show analysts a mart without what tells of people, under the mart's name: `select *` works there. A live view is read
-- where it is cut: through the one that shows all its columns a reader needs a right on each of them.
create or replace function access.show_to_analysts(relation regclass, withheld text []) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    place pg_class := (select pg_class from pg_class where oid = relation);
    shown regclass := to_regclass(format('analysis.%I', place.relname));
    read_from regclass := coalesce(
        case when place.relkind = 'v' then to_regclass(format('live.%I', place.relname)) end, relation
    );
    wanted text [];
    present text [];
begin
    select array_agg(quote_ident(attname) order by attnum) filter (where not attname = any (withheld))
    into wanted
    from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped;
    select array_agg(quote_ident(attname) order by attnum)
    into present
    from pg_attribute where attrelid = shown and attnum > 0 and not attisdropped;
    if present is distinct from wanted then
        if present is not null then
            execute format('drop view %s', shown);
        end if;
    end if;
    if present is distinct from wanted or not exists (
        select 1
        from pg_depend
        inner join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
        where pg_rewrite.ev_class = shown and pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = read_from
    ) then
        execute format(
            'create or replace view analysis.%I with (security_invoker = true) as select %s from %s',
            place.relname, array_to_string(wanted, ', '), read_from
        );
        shown := to_regclass(format('analysis.%I', place.relname));
    end if;
    perform access.give(shown, 'agentp_analyst', '{}');
end
$$;

-- Make a mart what every mart is: rows by salon for everybody, the owner included; readers may read all of it but secrets,
-- analysts what tells of nobody. Called by whoever builds it, in the same transaction.
create or replace function access.secure(relation regclass, personal text [], secret text []) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    place pg_class := (select pg_class from pg_class where oid = relation);
begin
    if not exists (
        select 1 from pg_attribute
        where attrelid = relation and attname = 'tenant_id' and not attisdropped and atttypid = 'uuid'::regtype
    ) then
        raise exception '% has no column tenant_id of type uuid: nobody can say whose its rows are', relation;
    end if;
    if place.relkind in ('r', 'p') then
        if not (place.relrowsecurity and place.relforcerowsecurity) then
            execute format('alter table %s enable row level security, force row level security', relation);
        end if;
        perform access.put_policies(relation);
    elsif place.relkind <> 'v' then
        raise exception '% is neither a table nor a view: row level security cannot hold it', relation;
    elsif place.relnamespace <> to_regnamespace('live') and not 'security_invoker=true' = any (coalesce(place.reloptions, '{}')) then
        raise exception '% reads with its owner''s rights: it needs security_invoker', relation;
    end if;
    if not place.relnamespace::regnamespace::text = any (array['dashboard', 'live']) then
        return;
    end if;
    perform access.give(relation, 'agentp_reader', secret);
    perform access.give(relation, 'agentp_admin', secret);
    -- Where Supabase is, whoever holds a token reads through PostgREST the salons that it names. By name, because that role
    -- inherits nothing.
    if to_regrole('authenticator') is not null then
        perform access.give(relation, 'authenticated', secret);
    end if;
    -- Columns of a view that shows all of another's are no use one by one: `analysis` has them.
    if place.relkind in ('r', 'p') or place.relnamespace = to_regnamespace('live') or cardinality(personal || secret) = 0 then
        perform access.give(relation, 'agentp_analyst', personal || secret);
    end if;
    if place.relnamespace = to_regnamespace('dashboard') then
        perform access.show_to_analysts(relation, personal || secret);
    end if;
end
$$;

-- The bot reads its messages and says what became of them; which salons' it serves, `agentp grant` says.
create or replace function access.secure_outbox() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if to_regrole('agentp_bot') is null or not access.has_roles() then
        return;
    end if;
    perform access.give('dashboard.outbox', 'agentp_bot', '{}');
    if not has_column_privilege('agentp_bot', 'dashboard.outbox', 'status', 'update') then
        grant update (status, sent_at) on dashboard.outbox to agentp_bot;
    end if;
    if not exists (
        select 1 from access.policies
        where
            relation = 'dashboard.outbox'::regclass and name = 'agentp_bot' and command = 'update' and grantees = '{agentp_bot}'
            and condition = (
                select condition from access.policies where relation = 'access.pattern'::regclass and name = 'agentp_tenants'
            )
    ) then
        drop policy if exists agentp_bot on dashboard.outbox;
        create policy agentp_bot on dashboard.outbox for update to agentp_bot
        using (tenant_id = any ((select access.tenants())::uuid []));
    end if;
end
$$;

-- What the gate, the runs and the scores keep: for admins, and for analysts what of it holds figures alone. Rows by salon
-- also here, should somebody be let in by hand; the owner, who copies rows in by the thousand, is not held to it.
create or replace function access.secure_kept(for_analysts text []) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    kept record;
begin
    for kept in
        select
            pg_class.oid::regclass as relation,
            pg_class.relkind,
            pg_class.relrowsecurity,
            nspname = 'quality' and relname = any (for_analysts) as is_for_analysts,
            nspname <> 'intermediate' as is_for_admins,
            exists (
                select 1 from pg_attribute
                where attrelid = pg_class.oid and attname = 'tenant_id' and atttypid = 'uuid'::regtype and not attisdropped
            ) as has_tenant
        from pg_class
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        where nspname in ('quality', 'scoring', 'intermediate') and relkind in ('r', 'v') and relname not like 'scratch\_%'
    loop
        if kept.relkind = 'r' and kept.has_tenant then
            if not kept.relrowsecurity then
                execute format('alter table %s enable row level security', kept.relation);
            end if;
            perform access.put_policies(kept.relation);
        end if;
        -- Who is being forgotten is nobody's to read.
        if kept.is_for_admins and kept.relation::text <> 'quality.pending_forgettings' then
            perform access.give(kept.relation, 'agentp_admin', '{}');
        end if;
        if kept.is_for_analysts then
            perform access.give(kept.relation, 'agentp_analyst', '{}');
        end if;
    end loop;
end
$$;

-- Before a column changes its type, nothing may show it.
create or replace function access.release(relation regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('drop view if exists analysis.%I', (select relname from pg_class where oid = relation));
end
$$;
