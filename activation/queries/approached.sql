-- Who has a message ahead, or one held out in its place, and who was written to lately (or held out then: they are the
-- measure of those who were), each of them as every client that they are.
insert into approached (tenant_id, client_id, channel)
select written.tenant_id, coalesce(kin.kin_id, written.client_id), written.channel
from (
    select tenant_id, client_id, channel from approached
    union all
    select outbox.tenant_id, outbox.client_id, outbox.channel
    from dashboard.outbox as outbox
    inner join salons on outbox.tenant_id = salons.tenant_id
    where
        (
            outbox.status = 'pending'
            and not exists (
                select 1 from ended where outbox.tenant_id = ended.tenant_id and outbox.message_key = ended.message_key
            )
        )
        or (outbox.status = 'held_out' and outbox.expires_at > salons.present)
        or (
            outbox.kind = 'win_back'
            and outbox.status in ('sent', 'held_out')
            and coalesce(outbox.sent_at, outbox.created_at) > salons.present - interval '24 hours' * %(pause_days)s
        )
) as written
left join kin on written.tenant_id = kin.tenant_id and written.client_id = kin.client_id
