with

archived as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

staged as (

    select * from {{ ref('int_sessions_staged') }}

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
        {{ meant_to_book('archived.final_intent', 'staged.steps_completed') }} as is_booking_intended,
        staged.is_booked,
        archived.booking_id,
        archived.booking_source,
        archived.booking_status,
        archived.booking_at,
        archived.booking_amount,
        archived.booking_currency,
        archived.messages_count as recorded_messages_count,
        archived.agent_messages_count as recorded_agent_messages_count,
        archived.user_messages_count as recorded_user_messages_count,
        {{ told_service('archived.meta') }} as service_id
    from archived
    inner join staged
        on
            archived.tenant_id = staged.tenant_id
            and archived.session_id = staged.session_id
    where {{ is_touched_client('archived') }}

)

select * from archived_sessions
