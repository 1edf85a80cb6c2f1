{{ config(
    scope={'entity': 'client', 'columns': ['tenant_id', 'client_id']},
    announces=['started_day'],
    indexes=[
        ['tenant_id', 'client_id'],
        ['tenant_id', 'started_day'],
        ['tenant_id', 'started_at'],
        ['tenant_id', 'booking_at'],
        ['tenant_id', 'booking_id']
    ]
) }}

with

archived as (

    select * from {{ ref('int_sessions_archived') }}

),

inferred as (

    select * from {{ ref('int_sessions_inferred') }}

),

counted as (

    select * from {{ ref('int_sessions_counted') }}

),

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

all_sessions as (

    select * from archived
    union all
    select * from inferred

),

sessions as (

    select
        all_sessions.tenant_id,
        all_sessions.session_id,
        all_sessions.client_id,
        clients.client_name,
        all_sessions.is_inferred,
        all_sessions.is_inferred and coalesce(counted.user_messages_count, 0) = 0 as is_outreach,
        all_sessions.channel,
        all_sessions.started_at,
        all_sessions.ended_at,
        {{ local_day('all_sessions.started_at', tenant_timezone()) }} as started_day,
        all_sessions.recorded_duration_sec,
        {{ milliseconds_between('all_sessions.started_at', 'all_sessions.ended_at') }} / 1000 as duration_sec,
        all_sessions.recorded_status,
        all_sessions.status,
        all_sessions.status_source,
        all_sessions.intent,
        all_sessions.summary,
        all_sessions.drop_off_stage,
        all_sessions.drop_off_stage_source,
        all_sessions.steps_completed,
        all_sessions.is_booked,
        coalesce(all_sessions.is_booked and {{ status_kind('all_sessions.booking_status') }} = 'cancelled', false) as is_booking_cancelled,
        all_sessions.booking_id,
        all_sessions.booking_source,
        all_sessions.booking_status,
        all_sessions.booking_at,
        all_sessions.booking_amount,
        all_sessions.booking_currency,
        all_sessions.recorded_messages_count,
        all_sessions.recorded_agent_messages_count,
        all_sessions.recorded_user_messages_count,
        coalesce(counted.messages_count, 0) as messages_count,
        coalesce(counted.agent_messages_count, 0) as agent_messages_count,
        coalesce(counted.user_messages_count, 0) as user_messages_count,
        coalesce(counted.matched_messages_count, 0) as matched_messages_count,
        counted.first_response_ms,
        counted.response_ms_sum,
        coalesce(counted.response_count, 0) as response_count,
        not all_sessions.is_inferred and row_number() over (
            partition by all_sessions.tenant_id, all_sessions.client_id
            order by all_sessions.is_inferred, all_sessions.started_at, all_sessions.session_id
        ) = 1 as is_first_session,
        all_sessions.is_booking_intended,
        all_sessions.service_id,
        {{ local_time('all_sessions.started_at', tenant_timezone()) }} as started_local
    from all_sessions
    left join counted
        on
            all_sessions.tenant_id = counted.tenant_id
            and all_sessions.session_id = counted.session_id
    left join clients
        on
            all_sessions.tenant_id = clients.tenant_id
            and all_sessions.client_id = clients.client_id
    left join tenants on all_sessions.tenant_id = tenants.tenant_id

)

select
    sessions.*,
    extract(hour from started_local)::integer as started_hour,
    {{ weekday_of('started_local') }} as started_weekday
from sessions
