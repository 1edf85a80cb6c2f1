with

sessions as (

    select * from {{ ref('stg_agent_p__sessions') }}

),

-- What the bot noted about the choices made; anything that is not shaped as the standard says is no choice.
noted as (

    select
        tenant_id,
        session_id,
        booking_id is not null as is_booked,
        final_status,
        case
            when meta ->> 'drop_off_stage' in ('service_selection', 'staff_selection', 'time_selection')
                then meta ->> 'drop_off_stage'
        end as recorded_stage,
        case jsonb_typeof(meta -> 'services_selected')
            when 'array' then jsonb_array_length(meta -> 'services_selected') > 0
            when 'string' then btrim(meta ->> 'services_selected') <> ''
            when 'number' then true
            else false
        end as has_service,
        jsonb_typeof(meta -> 'staff_id') in ('string', 'number') and btrim(meta ->> 'staff_id') <> '' as has_staff,
        jsonb_typeof(meta -> 'selected_datetime') = 'string' and btrim(meta ->> 'selected_datetime') <> '' as has_time
    from sessions
    where {{ is_touched_client('sessions') }}

),

inferred as (

    select
        noted.*,
        case
            when not has_service then 'service_selection'
            when has_staff is not true then 'staff_selection'
            when has_time is not true then 'time_selection'
            else 'confirmation'
        end as inferred_stage
    from noted

),

-- A recorded stage tells where a client left; of a session that the bot calls done only the choices tell how far it came.
reached as (

    select
        inferred.*,
        case
            when final_status = 'done' then inferred_stage
            else coalesce(recorded_stage, inferred_stage)
        end as reached_stage
    from inferred

),

-- Who booked, or whom the bot calls done, did not drop off.
staged as (

    select
        tenant_id,
        session_id,
        is_booked,
        case
            when is_booked or final_status = 'done' then null
            else reached_stage
        end as drop_off_stage,
        case
            when is_booked or final_status = 'done' then null
            when recorded_stage is not null then 'recorded'
            else 'inferred'
        end as drop_off_stage_source,
        case
            when is_booked then 4
            when reached_stage = 'service_selection' then 0
            when reached_stage = 'staff_selection' then 1
            when reached_stage = 'time_selection' then 2
            else 3
        end as steps_completed
    from reached

)

select * from staged
