{{ config(materialized='stable_view') }}

with

clients as (

    select * from {{ ref('stg_agent_p__clients') }}

),

{{ identify_clients() }}

-- Live, and of all clients, for who writes to them: a build may be a day old.
select
    identified.tenant_id,
    identified.client_id,
    identified.person_id,
    kin.client_id as kin_id
from identified
inner join identified as kin
    on
        identified.tenant_id = kin.tenant_id
        and identified.person_id = kin.person_id
