with

-- Read twice, by index: Postgres would store all of it first.
dialogs as not materialized (

    select * from {{ ref('dialogs') }}

),

-- A reply counts on the day of its session, a message on its own.
replies as (

    select
        tenant_id,
        session_day as day,
        percentile_cont(array[0.5, 0.9]) within group (order by response_ms) as percentiles
    from dialogs
    where
        {{ is_touched_day('dialogs', 'session_day') }}
        and session_source <> 'inferred'
        and response_ms is not null
    group by tenant_id, session_day

),

messages as (

    select
        tenant_id,
        sent_day as day,
        count(*) as messages,
        count(*) filter (where role = 'user') as user_messages,
        count(*) filter (where role = 'assistant') as agent_messages
    from dialogs
    where {{ is_touched_day('dialogs', 'sent_day') }}
    group by tenant_id, sent_day

)

select
    coalesce(messages.tenant_id, replies.tenant_id) as tenant_id,
    coalesce(messages.day, replies.day) as day,
    coalesce(messages.messages, 0) as messages,
    coalesce(messages.user_messages, 0) as user_messages,
    coalesce(messages.agent_messages, 0) as agent_messages,
    replies.percentiles
from messages
full join replies
    on
        messages.tenant_id = replies.tenant_id
        and messages.day = replies.day
