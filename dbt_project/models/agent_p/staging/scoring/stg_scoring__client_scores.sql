select
    ---------- ids
    source.tenant_id,
    source.client_id,
    source.run_id,

    ---------- numbers
    source.churn_probability,
    source.cycle_days,
    source.horizon_days,

    ---------- timestamps
    source.scored_at
from {{ source('scoring', 'client_scores') }} as source
