with

source as (

    select * from {{ source('agent_p', 'active_sessions_v2') }}

),

renamed as (

    select
        ---------- ids
        tenant_id,
        session_id,
        user_id as client_id,

        ---------- text
        channel,

        ---------- timestamps
        started_at,
        last_activity_at
    from source

)

select * from renamed
