{{ config(
    scope={'entity': 'visitor', 'columns': ['tenant_id', 'client_id']},
    indexes=[
        ['tenant_id', 'created_at'],
        ['tenant_id', 'next_change_at'],
        ['tenant_id', 'phone_key'],
        ['tenant_id', 'person_id']
    ],
    post_hook="{{ index_for_search(['client_name', 'phone']) }}"
) }}

with

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

identified as (

    select * from {{ ref('int_clients_identified') }}

),

memories as (

    select * from {{ ref('stg_agent_p__client_memories') }}

),

standing as (

    select * from {{ ref('int_visitors_standing') }}

),

preferring as (

    select * from {{ ref('int_visitors_preferring') }}

)

-- What the bot remembers of a client counts before what the visits suggest.
select
    clients.tenant_id,
    clients.client_id,
    identified.person_id,
    clients.client_name,
    clients.phone,
    clients.phone_key,
    clients.telegram_chat_id is not null as has_telegram,
    nullif(btrim(clients.whatsapp_id), '') is not null as has_whatsapp,
    clients.has_consent,
    clients.created_at,
    coalesce(memories.preferred_staff_id, preferring.usual_staff_id) as favourite_staff_id,
    case
        when memories.preferred_staff_id is not null then 'memory'
        when preferring.usual_staff_id is not null then 'visits'
    end as favourite_staff_source,
    preferring.usual_service_id as favourite_service_id,
    {{ standing_columns() }}
from clients
inner join identified
    on
        clients.tenant_id = identified.tenant_id
        and clients.client_id = identified.client_id
left join memories
    on
        clients.tenant_id = memories.tenant_id
        and clients.client_id = memories.client_id
left join standing
    on
        clients.tenant_id = standing.tenant_id
        and clients.client_id = standing.visitor_id
        and not standing.is_person
left join preferring
    on
        clients.tenant_id = preferring.tenant_id
        and clients.client_id = preferring.visitor_id
        and not preferring.is_person
where {{ is_touched_visitor('clients') }}
