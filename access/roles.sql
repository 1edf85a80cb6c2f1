-- The roles that may read (issue 7). Any number of times, on a live database; roles are the server's, so another database
-- of it may have made them already.
--
--   agentp_reader   every mart, of the reader's salons; logins are named salons by `agentp grant`
--   agentp_chain    a reader of every salon, also of those to come
--   agentp_analyst  every salon, without names, phones, chats and texts
--   agentp_admin    every mart of every salon, what checks, runs and scores keep, and who may read what
--   agentp_builder  reads raw tables and writes marts
--   agentp_bot      reads its messages in dashboard.outbox and marks them as sent
--   agentp_app      a login: a trusted application that names its reader's salons in `app.tenant_ids`

do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'agentp_reader', 'agentp_chain', 'agentp_analyst', 'agentp_admin', 'agentp_builder', 'agentp_bot', 'agentp_app'
    ] loop
        if to_regrole(role_name) is null then
            begin
                execute format('create role %I nologin nosuperuser nocreatedb nocreaterole nobypassrls', role_name);
            exception
                -- Somebody else makes them at the same time.
                when duplicate_object or unique_violation then null;
            end;
        end if;
    end loop;
end
$$;

do $$
declare
    wanted record;
begin
    for wanted in
        select granted, member
        from (values
            ('agentp_reader', 'agentp_chain'), ('agentp_chain', 'agentp_admin'), ('agentp_reader', 'agentp_app')
        ) as memberships (granted, member)
        where
            not exists (
                select 1 from pg_auth_members where roleid = to_regrole(granted) and pg_auth_members.member = to_regrole(memberships.member)
            )
    loop
        execute format('grant %I to %I', wanted.granted, wanted.member);
    end loop;
end
$$;

do $$
begin
    if not access.has_roles() then
        comment on table access.pattern is 'with roles';
    end if;
    -- Whoever may write it may lock it, and every reader waits: `agentp grant` is the owner's.
    if has_table_privilege('agentp_admin', 'access.logins', 'insert, update, delete') then
        revoke insert, update, delete on access.logins from agentp_admin;
    end if;
    if not has_table_privilege('agentp_builder', 'access.policies', 'select') then
        grant select on access.policies to agentp_builder;
    end if;
end
$$;
do $$
declare
    older record;
begin
    for older in
        select name from access.policies where relation = 'access.logins'::regclass and name like 'administration%'
    loop
        perform access.change(format('drop policy %I on access.logins', older.name));
    end loop;
end
$$;
select access.make_pattern();
select access.open_raw_tables();
