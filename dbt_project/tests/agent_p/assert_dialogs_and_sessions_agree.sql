-- Fails with one row per session whose messages in `dialogs` are not as many as `sessions` counted.
{{ config(meta={'dagster': {'ref': {'name': 'sessions'}}}) }}

with

dialogs as (

    select * from {{ ref('dialogs') }}

),

sessions as (

    select * from {{ ref('sessions') }}

),

counted as (

    select
        tenant_id,
        session_id,
        count(*) as messages_count
    from dialogs
    group by tenant_id, session_id

)

select
    coalesce(counted.tenant_id, sessions.tenant_id) as tenant_id,
    coalesce(counted.session_id, sessions.session_id) as session_id,
    counted.messages_count as messages_in_dialogs,
    sessions.messages_count as messages_in_sessions
from counted
full join sessions
    on
        counted.tenant_id = sessions.tenant_id
        and counted.session_id = sessions.session_id
where coalesce(counted.messages_count, 0) is distinct from sessions.messages_count
