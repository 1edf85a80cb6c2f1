select
    ---------- ids
    source.tenant_id,
    source.table_name,
    source.row_key,
    source.client_id,
    source.since_run_id,

    ---------- text
    source.rule_ids
from {{ source('quality', 'rows_set_aside') }} as source
