with

recorded as (

    select * from {{ ref('int_messages_recorded') }}

),

matched as (

    select * from {{ ref('int_messages_matched') }}

),

inferred as (

    select * from {{ ref('int_messages_inferred') }}

),

sessionized as (

    select
        tenant_id,
        message_id,
        session_id,
        session_client_id,
        session_started_at,
        'recorded' as session_source
    from recorded
    union all
    select
        tenant_id,
        message_id,
        session_id,
        session_client_id,
        session_started_at,
        'matched' as session_source
    from matched
    union all
    select
        tenant_id,
        message_id,
        session_id,
        session_client_id,
        session_started_at,
        'inferred' as session_source
    from inferred

)

select * from sessionized
