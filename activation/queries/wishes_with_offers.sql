-- Wishes that a free slot would meet, and those with a message that the bot may still send or a slot is kept by.
delete from changed_wishes as changed
where
    exists (
        select 1
        from wish_counts as counts
        where
            changed.tenant_id = counts.tenant_id
            and changed.wish_id = counts.wish_id
            and counts.offers_count > 0
    )
    or exists (
        select 1
        from dashboard.outbox as outbox
        where
            changed.tenant_id = outbox.tenant_id
            and changed.wish_id = outbox.wish_id
            and outbox.status in ('pending', 'sent', 'held_out')
    )
