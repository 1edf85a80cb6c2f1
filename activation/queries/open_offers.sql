-- An offer is open until it expires, be it waiting, sent or held out; a slot that is gone leaves its wish free.
select outbox.tenant_id::text, outbox.booking_id, outbox.wish_id
from dashboard.outbox as outbox
inner join salons on outbox.tenant_id = salons.tenant_id
inner join free_slots
    on
        outbox.tenant_id = free_slots.tenant_id
        and outbox.booking_id = free_slots.booking_id
        and outbox.wish_id = free_slots.wish_id
where
    outbox.kind = 'slot_offer'
    and outbox.status in ('pending', 'sent', 'held_out')
    and outbox.expires_at > salons.present
    and not exists (
        select 1 from ended where outbox.tenant_id = ended.tenant_id and outbox.message_key = ended.message_key
    )
