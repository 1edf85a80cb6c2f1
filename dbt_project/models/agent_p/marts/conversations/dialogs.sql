{{ config(
    scope={'entity': 'client', 'columns': ['tenant_id', 'session_client_id'], 'also': ['client_id']},
    announces=['sent_day', 'session_day', 'asked_day'],
    indexes=[
        ['tenant_id', 'session_id', 'position'],
        ['tenant_id', 'session_client_id'],
        ['tenant_id', 'client_id'],
        ['tenant_id', 'sent_day'],
        ['tenant_id', 'session_day']
    ]
) }}

with

sessionized as (

    select * from {{ ref('int_messages_sessionized') }}

),

messages as (

    select * from {{ ref('stg_agent_p__messages') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

ordered as (

    select
        sessionized.tenant_id,
        sessionized.message_id,
        sessionized.session_id,
        sessionized.session_client_id,
        sessionized.session_started_at,
        sessionized.session_source,
        messages.client_id,
        messages.channel,
        messages.role,
        messages.message_text,
        messages.sent_at,
        row_number() over dialogue as position,
        -- Every assistant message closes the turn it answers; the next message opens a new one.
        count(*) filter (where messages.role = 'assistant') over (
            exchange rows between unbounded preceding and 1 preceding
        ) as turn_number
    from sessionized
    inner join messages
        on
            sessionized.tenant_id = messages.tenant_id
            and sessionized.message_id = messages.message_id
    window
        dialogue as (
            partition by sessionized.tenant_id, sessionized.session_id
            order by messages.sent_at, messages.message_id
        ),
        -- Of one moment a question stands before its answer, whatever their ids.
        exchange as (
            partition by sessionized.tenant_id, sessionized.session_id
            order by messages.sent_at, messages.role is not distinct from 'assistant', messages.message_id
        )

),

-- The first client message that nobody has answered yet starts the clock.
timed as (

    select
        ordered.*,
        min(sent_at) filter (where role = 'user') over (
            partition by tenant_id, session_id, turn_number
        ) as unanswered_since
    from ordered

),

-- A reply that comes too late answers nothing.
answered as (

    select
        timed.*,
        {{ tenant_timezone() }} as timezone,
        case
            when
                timed.role = 'assistant'
                and extract(epoch from timed.sent_at) - extract(epoch from timed.unanswered_since)
                <= coalesce(tenants.reply_timeout_hours, {{ var('reply_timeout_hours') }}) * 3600
                then timed.unanswered_since
        end as asked_at
    from timed
    left join tenants on timed.tenant_id = tenants.tenant_id

),

dialogs as (

    select
        tenant_id,
        message_id,
        session_id,
        session_source,
        session_client_id,
        client_id,
        channel,
        position,
        role,
        message_text,
        sent_at,
        {{ local_day('sent_at', 'timezone') }} as sent_day,
        {{ local_day('session_started_at', 'timezone') }} as session_day,
        {{ milliseconds_between('asked_at', 'sent_at') }} as response_ms,
        {{ local_time('sent_at', 'timezone') }} as sent_local,
        asked_at,
        {{ local_day('asked_at', 'timezone') }} as asked_day
    from answered

)

select * from dialogs
