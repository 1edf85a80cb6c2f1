-- The ledger says of each changed wish how it stood and what it matched.
insert into dashboard.wish_reactions as seen (
    tenant_id, wish_id, fingerprint, seen_at, reacted_at, matches_count, offers_count, is_deleted
)
select
    changed.tenant_id,
    changed.wish_id,
    changed.fingerprint,
    reaction.reacted_at,
    reaction.reacted_at,
    counts.matches_count,
    counts.offers_count,
    changed.is_deleted
from changed_wishes as changed
cross join (select clock_timestamp() as reacted_at) as reaction
left join wish_counts as counts
    on changed.tenant_id = counts.tenant_id and changed.wish_id = counts.wish_id
on conflict (tenant_id, wish_id) do update
    set
        fingerprint = excluded.fingerprint,
        reacted_at = excluded.reacted_at,
        changes_count = seen.changes_count + 1,
        matches_count = excluded.matches_count,
        offers_count = excluded.offers_count,
        is_deleted = excluded.is_deleted
