-- Optional. A queue of the clients whose raw rows changed, written by the transaction that changed them:
-- a row is seen here exactly when its change is seen, deletes included, whatever the clocks say.
-- Without this migration a build compares fingerprints of all clients instead, which reads every row.

create schema if not exists change_tracking;

create table if not exists change_tracking.changed_clients (
    change_id bigint generated always as identity primary key,
    -- NULL client: every client of the tenant. NULL tenant: everything (a table was truncated).
    tenant_id uuid,
    client_id uuid,
    changed_at timestamptz not null default clock_timestamp()
);

-- The same changes for the checks of the data standard, which empty their queue at another time than builds do.
create table if not exists change_tracking.unchecked_clients (
    change_id bigint generated always as identity primary key,
    tenant_id uuid,
    client_id uuid
);

-- The functions of the triggers write the queues with their owner's rights, whoever the bots are. So nobody's code may run in
-- them: nobody else may make triggers of them (EXECUTE is asked for then), and of other tables than the raw ones, or columns
-- whose type has operators and casts that may be anybody's functions, nothing is read: then everything counts as changed.

-- Whether the table is one of the bots' and has the columns with the standard's types.
create or replace function change_tracking.has_types(relation oid, names text [], types text []) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select
        bool_and(coalesce(pg_attribute.atttypid = any (
            case wanted.type
                when 'uuid' then array['uuid']
                when 'jsonb' then array['jsonb', 'json']
                when 'text' then array['text', 'varchar', 'bpchar']
            end::regtype []
        ), false))
    from unnest(names, types) as wanted (name, type)
    left join pg_class
        on
            pg_class.oid = has_types.relation
            and pg_class.relnamespace = to_regnamespace('public')
            and pg_class.relname in (
                'tenants_v2', 'clients_v2', 'conversation_sessions_v2', 'recent_history_v2', 'wishlist_v2',
                'active_sessions_v2', 'user_ltm_v2'
            )
    left join pg_attribute
        on
            pg_class.oid = pg_attribute.attrelid
            and wanted.name = pg_attribute.attname
            and not pg_attribute.attisdropped
$$;

-- TG_ARGV[0] names the column that holds the client's id; TG_ARGV[1], where there is one, says that no mart is
-- built from the table, so that only the checks need to know.
create or replace function change_tracking.note_changed_clients() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    changed text;
    queues text[] := case
        when tg_nargs > 1 then array['unchecked_clients'] else array['unchecked_clients', 'changed_clients']
    end;
    queue text;
begin
    if
        not change_tracking.has_types(tg_relid, array['tenant_id', tg_argv[0]], array['uuid', 'uuid'])
        or tg_op = 'TRUNCATE'
    then
        changed := 'select null::uuid as tenant_id, null::uuid as %1$I';
    elsif tg_op = 'INSERT' then
        changed := 'select tenant_id, %1$I from new_rows';
    elsif tg_op = 'DELETE' then
        changed := 'select tenant_id, %1$I from old_rows';
    else
        changed := 'select tenant_id, %1$I from new_rows union all select tenant_id, %1$I from old_rows';
    end if;
    foreach queue in array queues loop
        execute format(
            'insert into change_tracking.%2$I (tenant_id, client_id) select distinct * from (' || changed || ') as rows',
            tg_argv[0], queue
        );
    end loop;
    return null;
end
$$;

-- Of a tenant only these settings reach rows of clients; the rest is read anew by every build.
create or replace function change_tracking.note_changed_tenants() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    changed uuid[];
begin
    if
        not change_tracking.has_types(tg_relid, array['id', 'metadata'], array['uuid', 'jsonb'])
        or tg_op = 'TRUNCATE'
    then
        changed := array[null::uuid];
    elsif tg_op = 'INSERT' then
        select array_agg(id) into changed from new_rows;
    elsif tg_op = 'DELETE' then
        select array_agg(id) into changed from old_rows;
    else
        select array_agg(coalesce(new_rows.id, old_rows.id)) into changed
        from new_rows
        full join old_rows on new_rows.id = old_rows.id
        where
            new_rows.id is null
            or old_rows.id is null
            or exists (
                select 1
                from
                    unnest(
                        array['timezone', 'loss_period_days', 'late_cancellation_hours', 'reply_timeout_hours']
                    ) as setting
                where
                    (new_rows.metadata -> 'settings' ->> setting)
                    is distinct from (old_rows.metadata -> 'settings' ->> setting)
            );
    end if;
    insert into change_tracking.unchecked_clients (tenant_id) select unnest(changed);
    insert into change_tracking.changed_clients (tenant_id) select unnest(changed);
    return null;
end
$$;

-- Of a client's memory only whom they prefer reaches a mart; the churn figures that `agentp activate` writes do not.
create or replace function change_tracking.note_changed_memories() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if
        not change_tracking.has_types(
            tg_relid, array['tenant_id', 'user_id', 'preferred_staff_id'], array['uuid', 'uuid', 'text']
        )
        or tg_op = 'TRUNCATE'
    then
        insert into change_tracking.unchecked_clients (tenant_id) values (null);
        insert into change_tracking.changed_clients (tenant_id) values (null);
    elsif tg_op = 'INSERT' then
        insert into change_tracking.unchecked_clients (tenant_id, client_id)
        select distinct tenant_id, user_id from new_rows;
        insert into change_tracking.changed_clients (tenant_id, client_id)
        select distinct tenant_id, user_id from new_rows where preferred_staff_id is not null;
    elsif tg_op = 'DELETE' then
        insert into change_tracking.unchecked_clients (tenant_id, client_id)
        select distinct tenant_id, user_id from old_rows;
        insert into change_tracking.changed_clients (tenant_id, client_id)
        select distinct tenant_id, user_id from old_rows where preferred_staff_id is not null;
    else
        insert into change_tracking.unchecked_clients (tenant_id, client_id)
        select tenant_id, user_id from new_rows union select tenant_id, user_id from old_rows;
        insert into change_tracking.changed_clients (tenant_id, client_id)
        select changed.tenant_id, changed.user_id
        from (
            (
                select tenant_id, user_id, preferred_staff_id from new_rows
                except
                select tenant_id, user_id, preferred_staff_id from old_rows
            )
            union
            (
                select tenant_id, user_id, preferred_staff_id from old_rows
                except
                select tenant_id, user_id, preferred_staff_id from new_rows
            )
        ) as changed
        group by changed.tenant_id, changed.user_id;
    end if;
    return null;
end
$$;

-- Whatever let others make triggers of them, default privileges of the server included.
do $$
declare
    given record;
begin
    for given in
        select
            pg_proc.oid::regprocedure as signature,
            case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee
        from pg_proc
        cross join lateral aclexplode(coalesce(pg_proc.proacl, acldefault('f', pg_proc.proowner))) as acl
        where pg_proc.pronamespace = 'change_tracking'::regnamespace and acl.grantee <> pg_proc.proowner
    loop
        execute format('revoke execute on function %s from %s', given.signature, given.grantee);
    end loop;
end
$$;

do $$
declare
    tracked record;
    arguments text;
begin
    for tracked in
        select *
        from (
            values
            ('tenants_v2', 'note_changed_tenants', '', false),
            ('clients_v2', 'note_changed_clients', 'id', false),
            ('conversation_sessions_v2', 'note_changed_clients', 'user_id', false),
            ('recent_history_v2', 'note_changed_clients', 'user_id', false),
            ('wishlist_v2', 'note_changed_clients', 'user_id', true),
            ('active_sessions_v2', 'note_changed_clients', 'user_id', true),
            ('user_ltm_v2', 'note_changed_memories', 'user_id', false)
        ) as wanted (table_name, function_name, client_column, only_checks)
        where not exists (
            select 1
            from pg_trigger
            where
                tgrelid = ('public.' || wanted.table_name)::regclass
                and tgname = 'agentp_note_truncate'
                and tgfoid = to_regproc('change_tracking.' || wanted.function_name)
        )
    loop
        -- Triggers of an older version of this file, which knew less of the table.
        execute format(
            'drop trigger if exists agentp_note_insert on public.%1$I; '
            'drop trigger if exists agentp_note_update on public.%1$I; '
            'drop trigger if exists agentp_note_delete on public.%1$I; '
            'drop trigger if exists agentp_note_truncate on public.%1$I',
            tracked.table_name
        );
        arguments := format('change_tracking.%I(%L', tracked.function_name, tracked.client_column)
            || case when tracked.only_checks then ', ''only checks'')' else ')' end;
        execute format(
            'create trigger agentp_note_insert after insert on public.%I referencing new table as new_rows '
            'for each statement execute function ' || arguments,
            tracked.table_name
        );
        execute format(
            'create trigger agentp_note_update after update on public.%I '
            'referencing old table as old_rows new table as new_rows '
            'for each statement execute function ' || arguments,
            tracked.table_name
        );
        execute format(
            'create trigger agentp_note_delete after delete on public.%I referencing old table as old_rows '
            'for each statement execute function ' || arguments,
            tracked.table_name
        );
        execute format(
            'create trigger agentp_note_truncate after truncate on public.%I '
            'for each statement execute function ' || arguments,
            tracked.table_name
        );
        -- Changes before the triggers were there are unknown: the next check and the next build take everything.
        insert into change_tracking.unchecked_clients (tenant_id, client_id) values (null, null);
        if not tracked.only_checks then
            insert into change_tracking.changed_clients (tenant_id, client_id) values (null, null);
        end if;
    end loop;
end
$$;
