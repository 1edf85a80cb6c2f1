-- Take the roles away from this database: what they own becomes the owner's, what they may do is no more.
comment on table access.pattern is null;
delete from access.logins;
do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'agentp_app', 'agentp_bot', 'agentp_admin', 'agentp_chain', 'agentp_analyst', 'agentp_reader', 'agentp_builder'
    ] loop
        if to_regrole(role_name) is not null then
            perform access.join_role(role_name);
            execute format('reassign owned by %I to %I', role_name, current_user);
            execute format('drop owned by %I', role_name);
        end if;
    end loop;
end
$$;
