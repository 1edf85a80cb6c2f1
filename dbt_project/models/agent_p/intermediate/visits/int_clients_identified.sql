with

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

-- A scoped build has all clients of a phone or none of them (claim_visitors).
{{ identify_clients(is_touched_visitor('clients')) }}

select
    tenant_id,
    client_id,
    person_id
from identified
