-- Optional. What makes a search for a part of a name or a phone quick (seed 02, feature 3).
-- Both ship with every Postgres and may be made by whoever may create things in the database. Where there is a schema for
-- extensions, as on Supabase, they belong there: what stands in `public` is part of its API.
do $$
declare
    wanted text;
    place text := case
        when to_regnamespace('extensions') is not null and has_schema_privilege('extensions', 'create') then ' schema extensions'
    end;
begin
    foreach wanted in array array['pg_trgm', 'btree_gin'] loop
        if not exists (select 1 from pg_extension where extname = wanted) then
            execute 'create extension if not exists ' || wanted || coalesce(place, '');
        end if;
    end loop;
exception
    when insufficient_privilege or undefined_file or feature_not_supported then
        raise warning 'the extensions pg_trgm and btree_gin could not be made (%); search by name or phone works without, slower', sqlerrm;
end
$$;
