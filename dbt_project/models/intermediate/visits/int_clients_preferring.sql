with

visits as not materialized (

    select * from {{ ref('visits') }}

),

memories as (

    select * from {{ ref('stg_agent_p__client_memories') }}

),

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

staff as (

    select
        tenant_id,
        client_id,
        staff_id,
        row_number() over (partition by tenant_id, client_id order by count(*) desc, max(visit_at) desc, staff_id asc) as place
    from visits
    where is_visit and staff_id is not null and {{ is_touched_visitor('visits') }}
    group by tenant_id, client_id, staff_id

),

services as (

    select
        tenant_id,
        client_id,
        service_id,
        row_number() over (partition by tenant_id, client_id order by count(*) desc, max(visit_at) desc, service_id asc) as place
    from visits
    where is_visit and service_id is not null and {{ is_touched_visitor('visits') }}
    group by tenant_id, client_id, service_id

)

-- What the bot remembers of a client counts before what the visits suggest.
select
    clients.tenant_id,
    clients.client_id,
    coalesce(memories.preferred_staff_id, staff.staff_id) as favourite_staff_id,
    case
        when memories.preferred_staff_id is not null then 'memory'
        when staff.staff_id is not null then 'visits'
    end as favourite_staff_source,
    services.service_id as favourite_service_id
from clients
left join memories
    on
        clients.tenant_id = memories.tenant_id
        and clients.client_id = memories.client_id
left join staff
    on
        clients.tenant_id = staff.tenant_id
        and clients.client_id = staff.client_id
        and staff.place = 1
left join services
    on
        clients.tenant_id = services.tenant_id
        and clients.client_id = services.client_id
        and services.place = 1
where {{ is_touched_visitor('clients') }}
