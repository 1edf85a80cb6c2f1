-- Pending messages that are not true any more.
create temporary table ended on commit drop as
select
    outbox.tenant_id,
    outbox.message_key,
    outbox.kind,
    case when outbox.expires_at <= salons.present then 'expired' else 'withdrawn' end as status
from dashboard.outbox as outbox
left join salons on outbox.tenant_id = salons.tenant_id
left join recipients on outbox.tenant_id = recipients.tenant_id and outbox.client_id = recipients.client_id
where
    outbox.status = 'pending'
    and (
        outbox.expires_at <= salons.present
        or salons.is_active is not true
        or recipients.has_refused is not false
        or (
            outbox.kind = 'win_back'
            and (
                exists (
                    select 1
                    from booked_ahead
                    where outbox.tenant_id = booked_ahead.tenant_id and outbox.client_id = booked_ahead.client_id
                )
                -- Somebody who came since has another last visit, and so have those whose visit turned out to be none.
                or not exists (
                    select 1
                    from dashboard.clients as visitors
                    inner join dashboard.persons as persons
                        on visitors.tenant_id = persons.tenant_id and visitors.person_id = persons.person_id
                    where
                        outbox.tenant_id = visitors.tenant_id
                        and outbox.client_id = visitors.client_id
                        and outbox.message_key = 'win_back:' || visitors.client_id || ':'
                        || to_char(persons.last_visit_at at time zone 'UTC', 'YYYY-MM-DD')
                )
            )
        )
        or (
            outbox.kind = 'slot_offer'
            and not exists (
                select 1
                from free_slots
                where
                    outbox.tenant_id = free_slots.tenant_id
                    and outbox.booking_id = free_slots.booking_id
                    and outbox.wish_id = free_slots.wish_id
                    and not free_slots.is_met
            )
        )
    )
