{{ config(
    materialized='published',
    contract={'enforced': true},
    scope={'entity': 'visitor', 'columns': ['tenant_id', 'person_id']},
    announces=['day'],
    brake=false,
    indexes=[['tenant_id', 'day']],
    meta={'distributed_by': 'tenant_id'}
) }}

with

sessions as (

    select * from {{ ref('sessions') }}

),

identified as (

    select * from {{ ref('int_clients_identified') }}

),

-- Archived sessions, as `unique_clients` counts them.
talked as (

    select distinct
        sessions.tenant_id,
        coalesce(identified.person_id, sessions.client_id) as person_id,
        sessions.started_day as day
    from sessions
    left join identified
        on
            sessions.tenant_id = identified.tenant_id
            and sessions.client_id = identified.client_id
    where not sessions.is_inferred and {{ is_touched_visitor('sessions') }}

)

select
    tenant_id,
    person_id,
    day,
    row_number() over (partition by tenant_id, person_id order by day) = 1 as is_first_day
from talked
