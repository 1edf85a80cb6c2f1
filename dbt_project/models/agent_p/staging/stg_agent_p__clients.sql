select
    ---------- ids
    source.tenant_id,
    source.id as client_id,
    source.telegram_chat_id,
    source.whatsapp_id,
    source.yclients_client_id,

    ---------- text
    nullif(btrim({{ bounded('source.full_name', 300) }}), '') as client_name,
    nullif(btrim({{ bounded('source.phone', 300) }}), '') as phone,
    {{ phone_key(bounded('source.phone', 300)) }} as phone_key,
    source.meta,

    ---------- timestamps
    source.created_at,
    source.updated_at,

    ---------- booleans
    {{ parse_consent('source.meta') }} as has_consent
from {{ source('agent_p', 'clients_v2') }} as source
where {{ is_accepted('clients_v2') }}
