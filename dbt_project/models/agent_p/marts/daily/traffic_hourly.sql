{{ config(scope={'entity': 'day', 'columns': ['tenant_id', 'day']}) }}

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
        'session' as kind,
        is_booked,
        null::bigint as response_ms
    from sessions
    where not is_inferred and {{ is_touched_day('sessions', 'started_day') }}
    union all
    select
        tenant_id,
        sent_day as day,
        sent_at as happened_at,
        'message' as kind,
        false as is_booked,
        null::bigint as response_ms
    from dialogs
    where role = 'user' and {{ is_touched_day('dialogs', 'sent_day') }}
    union all
    select
        tenant_id,
        asked_day as day,
        asked_at as happened_at,
        'reply' as kind,
        false as is_booked,
        response_ms
    from dialogs
    where
        response_ms is not null
        and session_source <> 'inferred'
        and {{ is_touched_day('dialogs', 'asked_day') }}

),

-- The zone comes with the day, so that a salon that moves to another one has all its days announced: hours change then
-- although neither the sessions nor the days they stand on do.
timed as (

    select
        happened.tenant_id,
        happened.day,
        {{ local_hour('happened.happened_at', 'tenant_days.timezone') }} as hour,
        tenant_days.is_final,
        happened.kind,
        happened.is_booked,
        happened.response_ms
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
        count(*) filter (where kind = 'session') as sessions_started,
        count(*) filter (where is_booked) as bookings,
        count(*) filter (where kind = 'message') as user_messages,
        {{ weekday_of('day') }} as weekday,
        sum(response_ms)::bigint as response_ms_sum,
        count(*) filter (where kind = 'reply') as response_count
    from timed
    group by tenant_id, day, hour, is_final

)

select * from traffic
