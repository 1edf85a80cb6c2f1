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
    if tg_op = 'TRUNCATE' then
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

-- Of a tenant only the time zone reaches rows of clients; the rest is read anew by every build.
create or replace function change_tracking.note_changed_tenants() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'TRUNCATE' then
        with changed as (
            insert into change_tracking.changed_clients (tenant_id)
            values (null)
            returning tenant_id
        )
        insert into change_tracking.unchecked_clients (tenant_id) select changed.tenant_id from changed;
    elsif tg_op = 'INSERT' then
        with changed as (
            insert into change_tracking.changed_clients (tenant_id)
            select id from new_rows
            returning tenant_id
        )
        insert into change_tracking.unchecked_clients (tenant_id) select changed.tenant_id from changed;
    elsif tg_op = 'DELETE' then
        with changed as (
            insert into change_tracking.changed_clients (tenant_id)
            select id from old_rows
            returning tenant_id
        )
        insert into change_tracking.unchecked_clients (tenant_id) select changed.tenant_id from changed;
    else
        with changed as (
            insert into change_tracking.changed_clients (tenant_id)
            select coalesce(new_rows.id, old_rows.id)
            from new_rows
            full join old_rows on new_rows.id = old_rows.id
            where
                (new_rows.metadata -> 'settings' ->> 'timezone')
                is distinct from (old_rows.metadata -> 'settings' ->> 'timezone')
                or new_rows.id is null
                or old_rows.id is null
            returning tenant_id
        )
        insert into change_tracking.unchecked_clients (tenant_id) select changed.tenant_id from changed;
    end if;
    return null;
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
            ('user_ltm_v2', 'note_changed_clients', 'user_id', true)
        ) as wanted (table_name, function_name, client_column, only_checks)
        where not exists (
            select 1
            from pg_trigger
            where
                tgrelid = ('public.' || wanted.table_name)::regclass
                and tgname = 'agentp_note_truncate'
        )
    loop
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
