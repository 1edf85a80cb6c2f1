select
    ---------- ids
    source.tenant_id,
    source.rule_id,
    source.run_id,

    ---------- numbers
    source.rows_seen,
    source.rows_failed,

    ---------- text
    source.examples
from {{ source('quality', 'rule_results') }} as source
