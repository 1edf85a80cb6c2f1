-- The beginning of a query: every wish against the ledger, those of the cursor's reach only. Python fills in what stands
-- in braces; the parameters are the cursor's life of the server and its transaction.
with

server as materialized (
    select
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next,
        -- Transaction numbers mean something in one life of one database only: a restored backup, a promoted standby
        -- (timeline) and a server that crashed (its statistics start anew) may give the same numbers again.
        md5(concat_ws(
            '/',
            (select system_identifier from pg_control_system()),
            (select timeline_id from pg_control_checkpoint()),
            (select oid from pg_database where datname = current_database()),
            (select extract(epoch from stats_reset) from pg_stat_bgwriter)
        )) as life
),

reach as materialized (
    select case when life = %(life)s and %(since)s <= oldest then %(since)s::bigint else 0 end as since from server
),

-- The scan that a million wishes cost each time; only what passes it is hashed.
candidates as (
    select
        wishes.tenant_id,
        wishes.id as wish_id,
        {xid} as xid,
        md5(row({values})::text) as fingerprint
    from public.wishlist_v2 as wishes
    where wishes.tenant_id is not null and wishes.id is not null and {xid} >= (select since from reach)
),

-- By the key, a candidate at a time: joined, the planner would read the whole ledger for a few of them.
compared as materialized (
    select
        candidates.*,
        (
            select seen.fingerprint
            from {ledger} as seen
            where candidates.tenant_id = seen.tenant_id and candidates.wish_id = seen.wish_id and not seen.is_deleted
        ) as seen_fingerprint
    from candidates
),

-- Wishes in the ledger less wishes that it should know: above 0 some are gone, below 0 the ledger lost some.
surplus as materialized (
    select
        (select count(*) from {ledger} as seen where not seen.is_deleted)
        - (
            select count(*)
            from public.wishlist_v2 as wishes
            where wishes.tenant_id is not null and wishes.id is not null
        )
        + (select count(*) from compared where seen_fingerprint is null) as wishes
),

gone as materialized (
    select seen.tenant_id, seen.wish_id, seen.fingerprint
    from {ledger} as seen
    where
        (select wishes from surplus) > 0
        and not seen.is_deleted
        and not exists (
            select 1
            from public.wishlist_v2 as wishes
            where seen.tenant_id = wishes.tenant_id and seen.wish_id = wishes.id
        )
),

changed as materialized (
    select compared.*
    from compared
    where compared.fingerprint is distinct from compared.seen_fingerprint
)
