select
    ---------- ids
    tenant_id,
    id as client_id,
    telegram_chat_id,
    whatsapp_id,
    yclients_client_id,

    ---------- text
    nullif(btrim(full_name), '') as client_name,
    nullif(btrim(phone), '') as phone,
    meta,

    ---------- timestamps
    created_at,
    updated_at
from {{ source('agent_p', 'clients_v2') }}
