create temporary table win_backs on commit drop as
with

approached_chats as (

    select distinct
        approached.tenant_id,
        approached.client_id,
        approached.channel,
        case approached.channel when 'telegram' then recipients.telegram_id else recipients.whatsapp_id end as chat
    from approached
    inner join recipients
        on approached.tenant_id = recipients.tenant_id and approached.client_id = recipients.client_id

),

judged as (

    select
        due.*,
        kin.person_id as present_person_id,
        channels.channel,
        case channels.channel when 'telegram' then recipients.telegram_id else recipients.whatsapp_id end as chat,
        case
            when salons.is_active is not true then 'inactive salon'
            when exists (
                select 1
                from kin as written
                inner join dashboard.outbox as outbox
                    on
                        written.tenant_id = outbox.tenant_id
                        and outbox.message_key in (
                            replace(due.message_key, due.client_id::text, written.kin_id::text),
                            -- Of somebody who was gone meanwhile (dbt_project/macros/agent_p/departed.sql).
                            replace(
                                due.message_key, due.client_id::text,
                                md5(due.tenant_id::text || written.kin_id::text)::uuid::text
                            )
                        )
                where due.tenant_id = written.tenant_id and due.client_id = written.client_id
            ) then 'queued before'
            when
                due.next_booking_at is not null
                or exists (
                    select 1
                    from booked_ahead
                    where due.tenant_id = booked_ahead.tenant_id and due.client_id = booked_ahead.client_id
                )
                then 'booked'
            when recipients.has_refused is null then 'client gone'
            when recipients.has_refused or due.has_consent is false then 'refused'
            when not due.is_candidate then 'not due'
            when due.last_visit_at < salons.present - interval '24 hours' * %(longest_absence_days)s then 'long gone'
            when exists (
                select 1
                from approached
                where due.tenant_id = approached.tenant_id and due.client_id = approached.client_id
            ) then 'written to lately'
            when channels.channel is null then 'no channel'
        end as obstacle
    from due
    left join salons on due.tenant_id = salons.tenant_id
    left join recipients on due.tenant_id = recipients.tenant_id and due.client_id = recipients.client_id
    left join channels on due.tenant_id = channels.tenant_id and due.client_id = channels.client_id
    left join kin
        on due.tenant_id = kin.tenant_id and due.client_id = kin.client_id and due.client_id = kin.kin_id

),

-- Clients may have the same chat, or be one person since the build: whom the salon saw last is asked.
ranked as (

    select
        judged.*,
        row_number() over (
            partition by judged.tenant_id, judged.obstacle, judged.channel, judged.chat
            order by judged.last_visit_at desc, judged.client_id
        ) as turn,
        row_number() over (
            partition by judged.tenant_id, judged.obstacle, judged.present_person_id
            order by judged.last_visit_at desc, judged.client_id
        ) as person_turn
    from judged

)

select
    ranked.*,
    coalesce(
        ranked.obstacle,
        case
            when ranked.person_turn > 1 then 'same person'
            when
                ranked.turn > 1
                or exists (
                    select 1
                    from approached_chats
                    where
                        ranked.tenant_id = approached_chats.tenant_id
                        and ranked.channel = approached_chats.channel
                        and ranked.chat = approached_chats.chat
                )
                then 'same chat'
        end
    ) as left_out
from ranked
