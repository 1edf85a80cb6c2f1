{{ config(
    scope={'queue': 'touched_clients', 'columns': ['tenant_id', 'client_id']},
    announces=['started_day'],
    indexes=[
        ['tenant_id', 'client_id'],
        ['tenant_id', 'started_day'],
        ['tenant_id', 'started_at'],
        ['tenant_id', 'booking_at']
    ]
) }}

with

archived as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

staged as (

    select * from {{ ref('int_sessions_staged') }}

),

dialogs as (

    select * from {{ ref('dialogs') }}

),

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

counted as (

    select
        tenant_id,
        session_id,
        session_client_id as client_id,
        count(*) as messages_count,
        count(*) filter (where role = 'assistant') as agent_messages_count,
        count(*) filter (where role = 'user') as user_messages_count,
        count(*) filter (where session_source = 'matched') as matched_messages_count,
        bool_and(session_source = 'inferred') as is_inferred,
        min(channel) as channel,
        min(sent_at) as first_message_at,
        max(sent_at) as last_message_at,
        (array_agg(response_ms order by position) filter (where response_ms is not null))[1] as first_response_ms,
        sum(response_ms)::bigint as response_ms_sum,
        count(response_ms) as response_count
    from dialogs
    where {{ is_touched_client('dialogs', 'session_client_id') }}
    group by tenant_id, session_id, session_client_id

),

archived_sessions as (

    select
        archived.tenant_id,
        archived.session_id,
        archived.client_id,
        false as is_inferred,
        archived.channel,
        archived.started_at,
        archived.ended_at,
        archived.duration_sec as recorded_duration_sec,
        archived.final_status as recorded_status,
        case when staged.is_booked then 'done' else archived.final_status end as status,
        case when staged.is_booked and archived.final_status <> 'done' then 'inferred' else 'recorded' end as status_source,
        archived.final_intent as intent,
        archived.final_summary as summary,
        staged.drop_off_stage,
        staged.drop_off_stage_source,
        staged.steps_completed,
        staged.is_booked,
        archived.booking_id,
        archived.booking_source,
        archived.booking_status,
        archived.booking_at,
        archived.booking_amount,
        archived.booking_currency,
        archived.messages_count as recorded_messages_count,
        archived.agent_messages_count as recorded_agent_messages_count,
        archived.user_messages_count as recorded_user_messages_count
    from archived
    inner join staged
        on
            archived.tenant_id = staged.tenant_id
            and archived.session_id = staged.session_id
    where {{ is_touched_client('archived') }}

),

-- Messages that nobody archived know when they were sent, and nothing of what came of them.
inferred_sessions as (

    select
        counted.tenant_id,
        counted.session_id,
        counted.client_id,
        true as is_inferred,
        counted.channel,
        counted.first_message_at as started_at,
        counted.last_message_at as ended_at,
        null::integer as recorded_duration_sec,
        null::text as recorded_status,
        'unknown' as status,
        'inferred' as status_source,
        null::text as intent,
        null::text as summary,
        null::text as drop_off_stage,
        null::text as drop_off_stage_source,
        null::integer as steps_completed,
        false as is_booked,
        null::text as booking_id,
        null::text as booking_source,
        null::text as booking_status,
        null::timestamptz as booking_at,
        null::numeric as booking_amount,
        null::text as booking_currency,
        null::integer as recorded_messages_count,
        null::integer as recorded_agent_messages_count,
        null::integer as recorded_user_messages_count
    from counted
    where counted.is_inferred

),

all_sessions as (

    select * from archived_sessions
    union all
    select * from inferred_sessions

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
        {{ local_day('all_sessions.started_at', "coalesce(tenants.timezone, '" ~ var('default_timezone') ~ "')") }} as started_day,
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
        coalesce(all_sessions.is_booked and all_sessions.booking_status = 'cancelled', false) as is_booking_cancelled,
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
        ) = 1 as is_first_session
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

select * from sessions
