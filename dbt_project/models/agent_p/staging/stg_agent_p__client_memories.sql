select
    ---------- ids
    source.tenant_id,
    source.user_id as client_id,
    {{ bounded_id("nullif(btrim(source.preferred_staff_id), '')") }} as preferred_staff_id,

    ---------- text
    source.ltm_data,

    ---------- numbers
    {{ raw_column('user_ltm_v2', 'avg_visit_interval', 'integer') }} as avg_visit_interval_days,
    {{ raw_column('user_ltm_v2', 'churn_risk_score', 'numeric') }} as churn_risk_score,

    ---------- timestamps
    {{ raw_column('user_ltm_v2', 'last_visit_date', 'timestamptz') }} as last_visit_at
from {{ source('agent_p', 'user_ltm_v2') }} as source
where {{ is_accepted('user_ltm_v2', key='user_id') }}
