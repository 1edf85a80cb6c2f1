with

waitlist as (

    select * from {{ ref('waitlist') }}

),

risky_slots as (

    select * from {{ ref('risky_slots') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- REQUIREMENTS C10: same salon, service, day and part of the day. Nobody waits for a place that is theirs.
matched as (

    select
        waitlist.tenant_id,
        waitlist.wish_id,
        risky_slots.booking_id,
        waitlist.client_id as waiting_client_id,
        waitlist.client_name as waiting_client_name,
        waitlist.phone as waiting_phone,
        risky_slots.client_id as booked_client_id,
        risky_slots.client_name as booked_client_name,
        risky_slots.service_id,
        coalesce(waitlist.service_title, risky_slots.service_title) as service_title,
        risky_slots.visit_at,
        risky_slots.visit_day,
        risky_slots.visit_time,
        risky_slots.staff_id,
        risky_slots.staff_name,
        waitlist.staff_id = risky_slots.staff_id as is_wished_staff,
        waitlist.time_preference,
        waitlist.waiting_since,
        risky_slots.risk_score,
        risky_slots.reason as risk_reason
    from waitlist
    inner join risky_slots
        on
            waitlist.tenant_id = risky_slots.tenant_id
            and waitlist.service_id = risky_slots.service_id
            and waitlist.wished_day = risky_slots.visit_day
            and waitlist.person_id <> risky_slots.person_id
    where {{ fits_time_preference('waitlist.time_preference', 'risky_slots.visit_time') }}

)

select
    matched.*,
    row_number() over (partition by matched.tenant_id, booking_id order by waiting_since, wish_id) as place,
    coalesce(service_title, 'услуга ' || service_id)
    || ', ' || to_char(visit_day, 'DD.MM') || ' в ' || to_char(visit_time, 'HH24:MI')
    || case time_preference
        when 'morning' then ', ждёт утро'
        when 'afternoon' then ', ждёт день'
        when 'evening' then ', ждёт вечер'
        else ', ждёт любое время'
    end
    || case when is_wished_staff then ', к желаемому мастеру' when not is_wished_staff then ', к другому мастеру' else '' end
    || '; в листе с ' || to_char({{ local_day('matched.waiting_since', tenant_timezone()) }}, 'DD.MM.YYYY')
    || '; риск отмены ' || round(risk_score * 100) || ' %: ' || risk_reason as explanation
from matched
left join tenants on matched.tenant_id = tenants.tenant_id
