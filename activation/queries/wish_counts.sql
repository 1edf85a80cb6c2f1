-- What each changed wish matches by now; the views are live.
insert into wish_counts (tenant_id, wish_id, matches_count, offers_count)
select changed.tenant_id, changed.wish_id, coalesce(matches.count, 0), coalesce(offers.count, 0)
from changed_wishes as changed
left join (
    select tenant_id, wish_id, count(*) as count from dashboard.waitlist_matches group by tenant_id, wish_id
) as matches
    on changed.tenant_id = matches.tenant_id and changed.wish_id = matches.wish_id
left join (
    select tenant_id, wish_id, count(*) as count from dashboard.slot_offers group by tenant_id, wish_id
) as offers
    on changed.tenant_id = offers.tenant_id and changed.wish_id = offers.wish_id
