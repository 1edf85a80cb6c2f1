-- What agentp_builder needs and no more (issue 7): to read the raw tables, to empty the queues of changes, and to own what
-- is built. Logins that build are members of it and work as it (`agentp grant LOGIN --as builder`). Schema `access` stays
-- its owner's: who owns a function says what everybody runs who calls it, and the owner of the raw tables calls those.

do $$
declare
    schema_name text;
    owned record;
begin
    perform access.join_role('agentp_builder');
    grant select on access.mart_schemas, access.raw_tables to agentp_builder;
    for owned in
        select pg_class.oid::regclass as relation, nspname
        from pg_class
        inner join pg_namespace on pg_class.relnamespace = pg_namespace.oid
        inner join access.raw_tables on nspname = raw_tables.schema_name and relname = raw_tables.table_name
        where relkind in ('r', 'p')
    loop
        execute format('grant usage on schema %I to agentp_builder', owned.nspname);
        execute format('grant select on %s to agentp_builder', owned.relation);
    end loop;
    perform access.open_raw_tables();
    -- Where extensions have a schema of their own, its operators are named by it.
    for schema_name in
        select nspname
        from pg_extension
        inner join pg_namespace on pg_extension.extnamespace = pg_namespace.oid
        where
            extname in ('pg_trgm', 'btree_gin') and not has_schema_privilege('agentp_builder', nspname, 'usage')
            and has_schema_privilege(current_user, nspname, 'usage with grant option')
    loop
        execute format('grant usage on schema %I to agentp_builder', schema_name);
    end loop;
    if to_regnamespace('change_tracking') is not null then
        grant usage on schema change_tracking to agentp_builder;
        grant select, insert, delete on all tables in schema change_tracking to agentp_builder;
    end if;
    for schema_name in
        select mart_schemas.schema_name from access.mart_schemas
        union all
        select unnest(array['live', 'analysis', 'quality', 'scoring', 'build', 'staging', 'intermediate'])
    loop
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
