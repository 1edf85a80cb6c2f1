-- What agentp_builder needs and no more (issue 7): to read the raw tables, to empty the queues of changes, and to own what
-- is built. Logins that build are members of it and work as it (`agentp grant LOGIN --as builder`).

do $$
declare
    schema_name text;
    owned record;
begin
    if not pg_has_role(current_user, 'agentp_builder', 'member') then
        execute format('grant agentp_builder to %I', current_user);
    end if;
    grant usage on schema public to agentp_builder;
    for owned in
        select pg_class.oid::regclass as relation
        from pg_class
        where
            relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
            and relname in (
                'tenants_v2', 'clients_v2', 'conversation_sessions_v2', 'recent_history_v2', 'wishlist_v2',
                'active_sessions_v2', 'user_ltm_v2'
            )
    loop
        execute format('grant select on %s to agentp_builder', owned.relation);
    end loop;
    if to_regnamespace('change_tracking') is not null then
        grant usage on schema change_tracking to agentp_builder;
        grant select, insert, delete on all tables in schema change_tracking to agentp_builder;
    end if;
    foreach schema_name in array array[
        'access', 'live', 'analysis', 'quality', 'scoring', 'build', 'staging', 'intermediate', 'dashboard'
    ] loop
        if to_regnamespace(schema_name) is null then
            execute format('create schema %I', schema_name);
        end if;
        execute format('alter schema %I owner to agentp_builder', schema_name);
        for owned in
            select pg_class.oid::regclass as relation, relkind
            from pg_class
            where
                relnamespace = to_regnamespace(schema_name) and relkind in ('r', 'v', 'S', 'p')
                and relowner <> to_regrole('agentp_builder')
                -- A sequence of a column goes with its table.
                and not exists (
                    select 1 from pg_depend
                    where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype in ('a', 'i') and relkind = 'S'
                )
        loop
            execute format(
                'alter %s %s owner to agentp_builder',
                case owned.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, owned.relation
            );
        end loop;
        for owned in
            select pg_proc.oid::regprocedure as relation
            from pg_proc
            where pronamespace = to_regnamespace(schema_name) and proowner <> to_regrole('agentp_builder')
        loop
            execute format('alter function %s owner to agentp_builder', owned.relation);
        end loop;
    end loop;
end
$$;
