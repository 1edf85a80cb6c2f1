with

dialogs as (

    select * from {{ ref('dialogs') }}

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
        (min(array[position, response_ms]) filter (where response_ms is not null))[2] as first_response_ms,
        sum(response_ms)::bigint as response_ms_sum,
        count(response_ms) as response_count
    from dialogs
    where {{ is_touched_client('dialogs', 'session_client_id') }}
    group by tenant_id, session_id, session_client_id

)

select * from counted
