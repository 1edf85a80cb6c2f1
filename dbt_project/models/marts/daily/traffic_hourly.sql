{{ config(scope={'queue': 'touched_days', 'columns': ['tenant_id', 'day']}) }}

with

tenant_days as (

    select * from {{ ref('int_tenant_days') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

dialogs as (

    select * from {{ ref('dialogs') }}

),

happened as (

    select
        tenant_id,
        started_day as day,
        started_at as happened_at,
        true as is_session,
        is_booked
    from sessions
    where not is_inferred and {{ is_touched_day('sessions', 'started_day') }}
    union all
    select
        tenant_id,
        sent_day as day,
        sent_at as happened_at,
        false as is_session,
        false as is_booked
    from dialogs
    where role = 'user' and {{ is_touched_day('dialogs', 'sent_day') }}

),

-- The zone comes with the day, so that a salon that moves to another one has all its days announced: hours change then
-- although neither the sessions nor the days they stand on do.
timed as (

    select
        happened.tenant_id,
        happened.day,
        {{ local_hour('happened.happened_at', 'tenant_days.timezone') }} as hour,
        tenant_days.is_final,
        happened.is_session,
        happened.is_booked
    from happened
    inner join tenant_days
        on
            happened.tenant_id = tenant_days.tenant_id
            and happened.day = tenant_days.day

),

traffic as (

    select
        tenant_id,
        day,
        hour,
        is_final,
        count(*) filter (where is_session) as sessions_started,
        count(*) filter (where is_booked) as bookings,
        count(*) filter (where not is_session) as user_messages
    from timed
    group by tenant_id, day, hour, is_final

)

select * from traffic
