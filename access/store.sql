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
--
-- Whatever takes a lock that readers feel is done only where it makes a difference, and through `access.change`.

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

do $$
begin
    if not (select relrowsecurity from pg_class where oid = 'access.logins'::regclass) then
        alter table access.logins enable row level security;
    end if;
    if not has_schema_privilege('public', 'access', 'usage') then
        grant usage on schema access to public;
    end if;
    if not has_table_privilege('public', 'access.logins', 'select') then
        grant select on access.logins to public;
    end if;
end
$$;

-- Alter what somebody may be reading: wait for it in short turns, so that who comes later waits no longer than one of them,
-- and all in all no longer than the session waits for a lock. In a transaction that has altered nothing else that readers
-- read: they may have taken two locks in any order, and who holds one and waits for another may be in a deadlock with them.
create or replace function access.change(statement text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    longest interval := current_setting('lock_timeout')::interval;
    begun timestamptz := clock_timestamp();
begin
    loop
        begin
            if longest = interval '0' or longest > interval '250 ms' then
                perform set_config('lock_timeout', '250ms', true);
            end if;
            execute statement;
            perform set_config('lock_timeout', floor(extract(epoch from longest) * 1000) || 'ms', true);
            return;
        exception
            when lock_not_available then
                if longest > interval '0' and clock_timestamp() - begun >= longest then
                    raise;
                end if;
        end;
        perform pg_sleep(0.1);
    end loop;
end
$$;

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
            where nspname in ('access', 'live') and pg_has_role(current_user, nspowner, 'usage')
        )
        or exists (select 1 from pg_roles where rolname = current_user and (rolsuper or rolbypassrls))
$$;

-- What source systems declare, of those that are or were on: the schemas of their marts, with what the names of their relations
-- in `live` and `analysis` begin with, and their raw tables, with whether `agentp activate` writes to them (access/schema.py).
create table if not exists access.mart_schemas (
    schema_name text primary key,
    prefix text not null
);
create table if not exists access.raw_tables (
    schema_name text not null,
    table_name text not null,
    is_written boolean not null,
    primary key (schema_name, table_name)
);

do $$
begin
    if to_regrole('agentp_builder') is not null and not has_table_privilege('agentp_builder', 'access.raw_tables', 'select') then
        grant select on access.mart_schemas, access.raw_tables to agentp_builder;
    end if;
end
$$;

create or replace function access.is_mart(relation regclass) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select 1
        from pg_class
        inner join access.mart_schemas on pg_class.relnamespace = to_regnamespace(quote_ident(mart_schemas.schema_name))
        where pg_class.oid = relation
    )
$$;

-- What a mart is called in schemas that systems share.
create or replace function access.shared_name(relation regclass) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select mart_schemas.prefix
            from access.mart_schemas
            where pg_class.relnamespace = to_regnamespace(quote_ident(mart_schemas.schema_name))
        ), ''
    ) || pg_class.relname
    from pg_class
    where pg_class.oid = relation
$$;

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

-- Give a table a policy, as `create policy NAME on TABLE …` would, unless it has just that one already: a table like it is
-- given the policy, and Postgres prints both.
create or replace function access.put_policy(relation regclass, policy text, definition text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    stands boolean;
begin
    execute format('create temporary table agentp_like (like %s) on commit drop', relation);
    execute format('create policy %I on pg_temp.agentp_like %s', policy, definition);
    select count(*) = 2 and count(distinct (is_permissive, command, grantees, condition, check_condition)) = 1
    into stands
    from access.policies
    where policies.name = put_policy.policy and policies.relation in (put_policy.relation, to_regclass('pg_temp.agentp_like'));
    drop table pg_temp.agentp_like;
    if not stands then
        perform access.change(format(
            'drop policy if exists %1$I on %2$s; create policy %1$I on %2$s %3$s', policy, relation, definition
        ));
    end if;
end
$$;

-- A reader sees which salons are theirs, and nobody else's.
select access.put_policy(
    'access.logins', 'own',
    'for select using (login = current_user or coalesce(pg_has_role(current_user, to_regrole(''agentp_admin''), ''usage''), false))'
);

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
declare
    wanted record;
begin
    if exists (
        select 1 from pg_class where oid = 'access.pattern'::regclass and not (relrowsecurity and relforcerowsecurity)
    ) then
        alter table access.pattern enable row level security, force row level security;
    end if;
    -- Policies of their own for those who see every salon: a condition "or" would keep readers from the index. Here they are
    -- for nobody: whoever is a member of a role may take it out of every policy (`drop owned by`).
    for wanted in
        select
            policies.name,
            policies.definition,
            policies.role_name is null or (access.has_roles() and to_regrole(policies.role_name) is not null) as is_wanted,
            exists (select 1 from pg_policy where polrelid = 'access.pattern'::regclass and polname = policies.name) as is_there
        from (values
            ('agentp_owner', 'to pg_database_owner using (true) with check (true)', null),
            (
                'agentp_tenants',
                'for select to pg_database_owner using (tenant_id = any ((select access.tenants())::uuid []))', null
            ),
            ('agentp_every_tenant', 'for select to pg_database_owner using (true)', 'agentp_chain'),
            ('agentp_analyst', 'for select to pg_database_owner using ((select access.sees_every_tenant()))', 'agentp_analyst')
        ) as policies (name, definition, role_name)
    loop
        if wanted.is_wanted then
            perform access.put_policy('access.pattern', wanted.name, wanted.definition);
        elsif wanted.is_there then
            execute format('drop policy %I on access.pattern', wanted.name);
        end if;
    end loop;
end
$$;
select access.make_pattern();

-- What a mart's policies should be: those of the pattern, each for whom it is. To the roles that read by salon, and not to
-- everybody: of two policies for one role Postgres asks both, row by row.
create or replace function access.want_policies(relation regclass)
returns table (name name, command text, grantees text [], condition text, check_condition text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        policies.name,
        policies.command,
        case policies.name
            when 'agentp_owner' then array[quote_ident(pg_get_userbyid(pg_class.relowner))]
            when 'agentp_tenants' then string_to_array(access.find_readers(), ', ')
            when 'agentp_every_tenant' then array['agentp_chain']
            when 'agentp_analyst' then array['agentp_analyst']
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
        perform access.change(format(
            'drop policy if exists %1$I on %2$s; create policy %1$I on %2$s for %3$s to %4$s using (%5$s)',
            wanted.name, relation, wanted.command, array_to_string(wanted.grantees, ', '), wanted.condition
        ) || coalesce(' with check (' || wanted.check_condition || ')', ''));
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
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        inner join access.raw_tables on nspname = raw_tables.schema_name and relname = raw_tables.table_name
        inner join (
            values ('agentp_builder_reads', 'select', 'using (true)'),
            ('agentp_builder_writes', 'update', 'using (true) with check (true)')
        ) as policies (name, command, condition)
            on policies.command = 'select' or raw_tables.is_written
        where
            pg_class.relkind in ('r', 'p') and pg_class.relrowsecurity
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
        from (
            select schema_name as name from access.mart_schemas
            union all values ('live'), ('analysis'), ('quality'), ('scoring')
        ) as schemas
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
                when 'live' then roles.name <> 'agentp_bot'
                when 'analysis' then roles.name <> 'agentp_bot'
                else true
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

-- The columns that analysts are shown of a relation, in order; none of one that is not there.
create or replace function access.shown_columns(relation regclass, withheld text []) returns text []
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(quote_ident(attname) order by attnum) filter (where not attname = any (withheld)), '{}')
    from pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped
$$;

-- What analysts' view of a mart reads: a live view where it is cut, because through the one that shows all its columns a
-- reader needs a right on each of them.
create or replace function access.find_cut(relation regclass) returns regclass
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(case when relkind = 'v' then to_regclass(format('live.%I', access.shared_name(oid))) end, relation)
    from pg_class
    where oid = relation
$$;

-- Whether a view reads a relation itself; one that is not there reads none.
create or replace function access.is_read_by(relation regclass, shown regclass) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select 1
        from pg_depend
        inner join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
        where pg_rewrite.ev_class = shown and pg_depend.refclassid = 'pg_class'::regclass and pg_depend.refobjid = relation
    )
$$;

-- What a mart's descriptions (by column, the mart's own by '') are otherwise in the catalog: at the mart, its live view and what
-- analysts are shown of it.
create or replace function access.undescribed(relation regclass, texts jsonb)
returns table (place regclass, column_name name, description text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with places as (
        select relation::oid as oid
        union
        select to_regclass(format('%I.%I', schemas.name, access.shared_name(mart.oid)))::oid
        from pg_class as mart
        cross join (values ('live'), ('analysis')) as schemas (name)
        where mart.oid = relation and access.is_mart(relation)
    ),

    wanted as (
        select oid, 0::smallint as attnum, null::name as attname, nullif(texts ->> '', '') as description
        from places
        where texts ? ''
        union all
        select attrelid, attnum, attname, nullif(texts ->> attname, '')
        from pg_attribute
        where attrelid in (select oid from places) and attnum > 0 and not attisdropped and texts ? attname
    )

    select wanted.oid, wanted.attname, wanted.description
    from wanted
    left join pg_description
        on wanted.oid = pg_description.objoid and pg_description.classoid = 'pg_class'::regclass
        and wanted.attnum = pg_description.objsubid
    where wanted.oid is not null and wanted.description is distinct from pg_description.description
$$;

-- Write them where they differ: a comment takes a lock that readers do not feel.
create or replace function access.describe(relation regclass, texts jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted record;
begin
    for wanted in
        select undescribed.*, case relkind when 'v' then 'view' else 'table' end as kind
        from access.undescribed(relation, texts)
        inner join pg_class on undescribed.place = pg_class.oid
    loop
        execute case
            when wanted.column_name is null then format('comment on %s %s is %L', wanted.kind, wanted.place, wanted.description)
            else format('comment on column %s.%I is %L', wanted.place, wanted.column_name, wanted.description)
        end;
    end loop;
end
$$;

-- The descriptions that a relation has, as `access.describe` takes them.
create or replace function access.read_descriptions(relation regclass) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(coalesce(attname, ''), description), '{}')
    from pg_description
    left join pg_attribute on objoid = attrelid and objsubid = attnum and attnum > 0
    where objoid = relation and classoid = 'pg_class'::regclass
$$;

-- Whether analysts are shown a mart as it is now.
create or replace function access.shows_to_analysts(relation regclass, withheld text []) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        not access.is_mart(place.oid)
        or access.shown_columns(place.oid, withheld)
        = access.shown_columns(to_regclass(format('analysis.%I', access.shared_name(place.oid))), '{}')
        and access.is_read_by(access.find_cut(place.oid), to_regclass(format('analysis.%I', access.shared_name(place.oid))))
        and (
            not access.has_roles()
            or coalesce(
                has_table_privilege(
                    to_regrole('agentp_analyst')::oid, to_regclass(format('analysis.%I', access.shared_name(place.oid)))::oid, 'select'
                ), true
            )
        )
        and not exists (select 1 from access.undescribed(place.oid, access.read_descriptions(place.oid)))
    from pg_class as place
    where place.oid = relation
$$;

-- Drop a view that is made anew. What somebody else has made of it stops that, by its name: a temporary view does so too, as long
-- as its session.
create or replace function access.drop_view(view_name text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.change(format('drop view if exists %s', view_name));
exception
    when dependent_objects_still_exist then
        raise exception '% has to be made anew, and % read it: drop what may go, or end the session that a view in pg_temp_… is of',
            view_name, (
                select string_agg(distinct format('%s of %s', pg_class.oid::regclass, pg_get_userbyid(relowner)), ', ')
                from pg_depend
                inner join pg_rewrite on pg_depend.classid = 'pg_rewrite'::regclass and pg_depend.objid = pg_rewrite.oid
                inner join pg_class on pg_rewrite.ev_class = pg_class.oid
                where pg_depend.refobjid = to_regclass(view_name) and pg_class.oid <> to_regclass(view_name)
            )
            using errcode = 'dependent_objects_still_exist';
end
$$;

-- Show analysts a mart without what tells of people, under the mart's name: `select *` works there. In a transaction of its
-- own, because it takes another lock than what altered the mart (`access.change`); after `access.release` in that one, which has
-- the lock already: readers find the old view or the new one.
create or replace function access.show_to_analysts(relation regclass, withheld text []) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    read_from regclass := access.find_cut(relation);
    view_name text := format('analysis.%I', access.shared_name(relation));
    wanted text [] := access.shown_columns(relation, withheld);
    present text [] := access.shown_columns(to_regclass(view_name), '{}');
begin
    if present is distinct from wanted then
        -- New columns come behind those that others may read; only where one goes, or moves, the view has to.
        if present is distinct from wanted[:cardinality(present)] then
            perform access.drop_view(view_name);
        end if;
    end if;
    if present is distinct from wanted or not access.is_read_by(read_from, to_regclass(view_name)) then
        perform access.change(format(
            'create or replace view %s with (security_invoker = true) as select %s from %s',
            view_name, array_to_string(wanted, ', '), read_from
        ));
    end if;
    perform access.give(view_name::regclass, 'agentp_analyst', '{}');
    perform access.describe(relation, access.read_descriptions(relation));
end
$$;

-- Make a mart what every mart is: rows by salon for everybody, the owner included; readers may read all of it but secrets,
-- analysts what tells of nobody. Called by whoever builds it, in the same transaction; `access.show_to_analysts` comes after it.
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
            perform access.change(format('alter table %s enable row level security, force row level security', relation));
        end if;
        perform access.put_policies(relation);
    elsif place.relkind <> 'v' then
        raise exception '% is neither a table nor a view: row level security cannot hold it', relation;
    elsif place.relnamespace <> to_regnamespace('live') and not 'security_invoker=true' = any (coalesce(place.reloptions, '{}')) then
        raise exception '% reads with its owner''s rights: it needs security_invoker', relation;
    end if;
    if not access.is_mart(relation) and place.relnamespace is distinct from to_regnamespace('live') then
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
        perform access.change(
            'drop policy if exists agentp_bot on dashboard.outbox; '
            'create policy agentp_bot on dashboard.outbox for update to agentp_bot '
            'using (tenant_id = any ((select access.tenants())::uuid []))'
        );
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
                perform access.change(format('alter table %s enable row level security', kept.relation));
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

-- Before a column changes its type, nothing may show it. Before the mart is locked, too: readers of what shows it lock that first.
create or replace function access.release(relation regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.drop_view(format('analysis.%I', access.shared_name(relation)));
end
$$;

create or replace function access.print_view(relation regclass) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select md5(pg_get_viewdef(relation) || coalesce(reloptions::text, '')) from pg_class where oid = relation
$$;

-- Whether a view is as `access.put_view` made it: what that was asked for, and what Postgres prints of it, stand in the comment
-- of its rule; that of the view is for people. So what did not change is not touched, and what somebody changed by hand is put back.
create or replace function access.view_stands(place text, hash text) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select obj_description(oid, 'pg_rewrite') = format('agentp %s %s', hash, access.print_view(ev_class))
            from pg_rewrite
            where ev_class = to_regclass(place) and rulename = '_RETURN'
        ), false
    )
$$;

-- Make a view, or replace it in place: what hangs on it (grants, other people's views) stays. Where the new columns do not
-- fit behind the old ones, Postgres refuses, and says which; whether it may go is for a person to say.
create or replace function access.put_view(place text, options text, query text, hash text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.change(format('create or replace view %s with (%s) as %s', place, options, query));
    execute format(
        'comment on rule "_RETURN" on %s is %L', place, format('agentp %s %s', hash, access.print_view(place::regclass))
    );
    -- Where older versions wrote it.
    if obj_description(place::regclass, 'pg_class') like 'agentp %' then
        execute format('comment on view %s is null', place);
    end if;
exception
    when invalid_table_definition then
        raise exception '% cannot be replaced in place: %. Views of others that read it would go with it: decide, and run: '
            'drop view % cascade; the next build makes what is ours anew', place, sqlerrm, place
            using errcode = 'invalid_table_definition';
end
$$;
