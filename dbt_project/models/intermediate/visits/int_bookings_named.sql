with

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

identified as (

    select * from {{ ref('int_clients_identified') }}

),

-- What dialogues say of bookings, those that only change one included; anything not shaped as expected says nothing.
named as (

    select
        tenant_id,
        client_id,
        session_id,
        channel,
        started_at,
        booking_id,
        booking_at,
        booking_amount,
        booking_currency,
        nullif(btrim(booking_source), '') as booking_source,
        lower(btrim(final_intent)) as intent,
        lower(nullif(btrim(booking_status), '')) as booking_status,
        lower({{ read_scalar("meta -> 'visit_status'") }}) as visit_status,
        {{ read_scalar("meta -> 'staff_id'") }} as staff_id,
        case
            when jsonb_typeof(meta -> 'services_selected') = 'array'
                then {{ read_scalar("meta -> 'services_selected' -> 0") }}
            else {{ read_scalar("meta -> 'services_selected'") }}
        end as service_id,
        {{ read_scalar("meta -> 'cancelled_booking_id'") }} as cancelled_booking_id,
        {{ read_scalar("meta -> 'rescheduled_from'") }} as moved_booking_id
    from sessions
    where
        {{ is_touched_visitor('sessions') }}
        and (booking_id is not null or lower(btrim(final_intent)) = 'cancel' or meta ->> 'cancelled_booking_id' is not null)

)

-- A client without a row is nobody else.
select
    named.*,
    coalesce(identified.person_id, named.client_id) as person_id
from named
left join identified
    on
        named.tenant_id = identified.tenant_id
        and named.client_id = identified.client_id
