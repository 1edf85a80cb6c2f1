select
    judged.*,
    case
        when judged.is_active is not true then 'inactive salon'
        when judged.is_queued then 'queued before'
        when judged.has_refused is null then 'client gone'
        when judged.has_refused then 'refused'
        when judged.is_met then 'booked'
        when judged.expires_at <= judged.send_after then 'too late'
        when judged.channel is null then 'no channel'
    end as reason
from (
    select
        free_slots.tenant_id::text as tenant_id,
        free_slots.booking_id,
        free_slots.wish_id,
        free_slots.client_id::text as client_id,
        free_slots.client_name,
        channels.channel,
        'slot_offer:' || free_slots.booking_id || ':' || free_slots.wish_id as message_key,
        free_slots.service_id,
        free_slots.service_title,
        free_slots.staff_id,
        free_slots.is_wished_staff,
        free_slots.visit_at,
        free_slots.visit_at at time zone salons.timezone as local_visit_at,
        free_slots.place,
        least(
            salons.send_after + interval '1 hour' * %(offer_hours)s,
            free_slots.visit_at - interval '1 hour' * %(notice_hours)s
        ) as expires_at,
        salons.is_active,
        salons.send_after,
        recipients.has_refused,
        free_slots.is_met,
        -- Somebody with two wishes for the same slot is asked once, as whichever client.
        exists (
            select 1
            from dashboard.outbox as outbox
            where
                free_slots.tenant_id = outbox.tenant_id
                and free_slots.booking_id = outbox.booking_id
                and (
                    free_slots.client_id = outbox.client_id
                    or free_slots.wish_id = outbox.wish_id
                    or exists (
                        select 1
                        from kin
                        where
                            free_slots.tenant_id = kin.tenant_id
                            and free_slots.client_id = kin.client_id
                            and outbox.client_id = kin.kin_id
                    )
                )
        ) as is_queued
    from free_slots
    inner join salons on free_slots.tenant_id = salons.tenant_id
    left join recipients
        on free_slots.tenant_id = recipients.tenant_id and free_slots.client_id = recipients.client_id
    left join channels
        on free_slots.tenant_id = channels.tenant_id and free_slots.client_id = channels.client_id
) as judged
order by judged.tenant_id, judged.visit_at, judged.booking_id, judged.place
