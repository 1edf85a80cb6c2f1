{{ config(
    scope={'entity': 'visitor', 'columns': ['tenant_id', 'person_id']},
    brake=false,
    indexes=[['tenant_id', 'last_visit_at']],
    post_hook="{{ index_for_search(['client_name', 'phone']) }}"
) }}

with

clients as (

    select * from {{ ref('clients') }}

),

standing as (

    select * from {{ ref('int_visitors_standing') }}

),

preferring as (

    select * from {{ ref('int_visitors_preferring') }}

),

-- The oldest client says who they are, and where it says nothing the next. A refusal of one is a refusal; a message goes to one
-- that the bot can reach, of several to whom the salon saw last.
met as (

    select
        tenant_id,
        person_id,
        count(*) as clients_count,
        (array_agg(client_name order by created_at, client_id) filter (where client_name is not null))[1] as client_name,
        (array_agg(phone order by created_at, client_id) filter (where phone is not null))[1] as phone,
        bool_or(has_telegram) as has_telegram,
        bool_or(has_whatsapp) as has_whatsapp,
        bool_and(has_consent) as has_consent,
        min(created_at) as created_at,
        (
            array_agg(
                client_id order by has_telegram or has_whatsapp desc, last_visit_at desc nulls last, created_at asc, client_id asc
            )
        )[1] as contact_client_id,
        (array_agg(favourite_staff_id order by created_at, client_id) filter (where favourite_staff_source = 'memory'))[1]
            as remembered_staff_id
    from clients
    where {{ is_touched_visitor('clients') }}
    group by tenant_id, person_id

)

select
    met.tenant_id,
    met.person_id,
    met.clients_count,
    met.contact_client_id,
    met.client_name,
    met.phone,
    met.has_telegram,
    met.has_whatsapp,
    met.has_consent,
    met.created_at,
    coalesce(met.remembered_staff_id, preferring.usual_staff_id) as favourite_staff_id,
    case
        when met.remembered_staff_id is not null then 'memory'
        when preferring.usual_staff_id is not null then 'visits'
    end as favourite_staff_source,
    preferring.usual_service_id as favourite_service_id,
    {{ standing_columns() }}
from met
left join standing
    on
        met.tenant_id = standing.tenant_id
        and met.person_id = standing.visitor_id
        and standing.is_person
left join preferring
    on
        met.tenant_id = preferring.tenant_id
        and met.person_id = preferring.visitor_id
        and preferring.is_person
