-- Optional. What makes a search for a part of a name or a phone quick (seed 02, feature 3).
-- Both ship with every Postgres and may be made by whoever may create things in the database.
do $$
begin
    create extension if not exists pg_trgm;
    create extension if not exists btree_gin;
exception
    when insufficient_privilege or undefined_file or feature_not_supported then
        raise warning 'the extensions pg_trgm and btree_gin could not be made (%); search by name or phone works without, slower', sqlerrm;
end
$$;
