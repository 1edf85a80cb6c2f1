-- Dagster's own storage: a role and a database of their own, in the server of the marts or in another one (issue 5).
-- Once, as a superuser, on Postgres 15 or later: psql -f deploy/machine/storage.sql, then psql -c '\password dagster'
-- Never the database of the marts: Dagster makes tables such as `runs` and `jobs` in `public`, where the bots' tables are.

create role dagster login nosuperuser nocreatedb nocreaterole connection limit 60;
create database dagster owner dagster;

-- By default everybody may connect everywhere. Do the same for the database of the marts, after granting it to whom it is for.
revoke all on database dagster from public;
