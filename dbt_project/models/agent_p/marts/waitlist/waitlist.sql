with

wishes as (

    select * from {{ ref('stg_agent_p__wishes') }}

),

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

known as (

    select * from {{ ref('clients') }}

),

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- A wish without a status is one that nobody has dealt with.
pending as (

    select
        wishes.tenant_id,
        wishes.wish_id,
        wishes.client_id,
        coalesce(known.person_id, wishes.client_id) as person_id,
        coalesce(clients.client_name, nullif(btrim(wishes.meta ->> 'client_name'), '')) as client_name,
        coalesce(clients.phone, nullif(btrim(wishes.meta ->> 'client_phone'), '')) as phone,
        wishes.item_type,
        {{ wished_service('wishes') }} as service_id,
        nullif(btrim(wishes.service_title), '') as service_title,
        nullif(btrim(wishes.meta ->> 'staff_id'), '') as staff_id,
        nullif(btrim(wishes.staff_name), '') as staff_name,
        {{ parse_day("wishes.meta ->> 'date'") }} as wished_day,
        lower(nullif(btrim(wishes.time_preference), '')) as time_preference,
        wishes.wish_source,
        wishes.wish_comment,
        wishes.created_at as waiting_since
    from wishes
    left join clients
        on
            wishes.tenant_id = clients.tenant_id
            and wishes.client_id = clients.client_id
    left join known
        on
            wishes.tenant_id = known.tenant_id
            and wishes.client_id = known.client_id
    -- Written so that Postgres expects most wishes to pass, and not one in two hundred: what joins this is planned by that.
    where case when coalesce(lower(nullif(btrim(wishes.wish_status), '')), 'pending') = 'pending' then 1 end is not null

)

select
    pending.tenant_id,
    pending.wish_id,
    pending.client_id,
    pending.person_id,
    pending.client_name,
    pending.phone,
    pending.item_type,
    pending.service_id,
    pending.service_title,
    pending.staff_id,
    pending.staff_name,
    pending.wished_day,
    pending.time_preference,
    pending.wish_source,
    pending.wish_comment,
    pending.waiting_since,
    coalesce({{ is_final_day('pending.wished_day', tenant_timezone()) }}, false) as is_expired
from pending
left join tenants on pending.tenant_id = tenants.tenant_id
