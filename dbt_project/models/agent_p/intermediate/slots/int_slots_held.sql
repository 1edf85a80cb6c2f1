with

visits as not materialized (

    select * from {{ ref('visits') }}

),

-- Indexed by booking, which the raw table is not.
sessions as (

    select * from {{ ref('sessions') }}

),

raw_sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

-- What the dialogues of bookings that were told with several times say; there are few such bookings.
told as (

    select
        visits.tenant_id,
        visits.booking_id,
        visits.visit_at,
        raw_sessions.session_id,
        raw_sessions.started_at,
        raw_sessions.booking_at,
        array_agg({{ told_service('raw_sessions.meta') }}) filter (where {{ told_service('raw_sessions.meta') }} is not null) over so_far
            as services,
        array_agg({{ told_staff('raw_sessions.meta') }}) filter (where {{ told_staff('raw_sessions.meta') }} is not null) over so_far
            as staff
    from visits
    inner join sessions
        on
            visits.tenant_id = sessions.tenant_id
            and visits.booking_id = sessions.booking_id
    inner join raw_sessions
        on
            sessions.tenant_id = raw_sessions.tenant_id
            and sessions.session_id = raw_sessions.session_id
    where visits.times_moved > 0
    window so_far as (
        partition by visits.tenant_id, visits.booking_id order by raw_sessions.started_at, raw_sessions.session_id
    )

),

-- From one time told to the next.
timed as (

    select
        *,
        lag(booking_at) over (partition by tenant_id, booking_id order by started_at, session_id) as previous_booking_at
    from told
    where booking_at is not null

),

numbered as (

    select
        *,
        count(*) filter (where booking_at <> previous_booking_at) over (
            partition by tenant_id, booking_id order by started_at, session_id
        ) as slot_number
    from timed

),

held as (

    select
        tenant_id,
        booking_id,
        booking_at as slot_at,
        slot_number,
        max(visit_at) as visit_at,
        min(started_at) as slot_taken_at,
        (array_agg(services[cardinality(services)] order by started_at desc, session_id desc))[1] as service_id,
        (array_agg(staff[cardinality(staff)] order by started_at desc, session_id desc))[1] as staff_id
    from numbered
    group by tenant_id, booking_id, booking_at, slot_number

),

followed as (

    select
        held.*,
        lead(slot_taken_at) over (partition by tenant_id, booking_id order by slot_number) as released_at,
        row_number() over (partition by tenant_id, booking_id, slot_at order by slot_number desc) as turn
    from held

)

-- The times that a booking had before the one that it has, once each, as it was last left.
select
    followed.tenant_id,
    followed.booking_id,
    visits.client_id,
    visits.person_id,
    followed.slot_at as visit_at,
    followed.slot_taken_at,
    followed.released_at,
    coalesce(followed.service_id, visits.service_id) as service_id,
    coalesce(followed.staff_id, visits.staff_id) as staff_id,
    visits.booking_amount,
    visits.booking_currency,
    'moved' as outcome
from followed
inner join visits
    on
        followed.tenant_id = visits.tenant_id
        and followed.booking_id = visits.booking_id
where followed.turn = 1 and followed.slot_at <> followed.visit_at
union all
select
    tenant_id,
    booking_id,
    client_id,
    person_id,
    visit_at,
    slot_taken_at,
    released_at,
    service_id,
    staff_id,
    booking_amount,
    booking_currency,
    outcome
from visits
where visit_at is not null
