-- How each client can be reached, and whether they refused by now, as whichever client.
create temporary table recipients on commit drop as
select
    clients.tenant_id,
    clients.client_id,
    clients.telegram_chat_id::text as telegram_id,
    nullif(btrim(clients.whatsapp_id), '') as whatsapp_id,
    exists (
        select 1
        from kin
        inner join staging.stg_agent_p__clients as asked on kin.tenant_id = asked.tenant_id and kin.kin_id = asked.client_id
        where clients.tenant_id = kin.tenant_id and clients.client_id = kin.client_id and asked.has_consent is false
    ) as has_refused
from staging.stg_agent_p__clients as clients
inner join (
    select tenant_id, client_id from due
    union
    select tenant_id, client_id from free_slots
    union
    select tenant_id, client_id from dashboard.outbox
) as named
    on clients.tenant_id = named.tenant_id and clients.client_id = named.client_id
