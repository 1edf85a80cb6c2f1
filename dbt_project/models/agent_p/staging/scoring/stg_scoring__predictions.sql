select
    ---------- ids
    source.tenant_id,
    source.booking_id,

    ---------- text
    source.risk_factors,
    booking_scores.main_factor,

    ---------- numbers
    source.risk_score,

    ---------- timestamps
    source.predicted_at at time zone 'UTC' as predicted_at
from {{ source('predictions', 'predictions') }} as source
left join {{ source('scoring', 'booking_scores') }} as booking_scores
    on
        source.tenant_id = booking_scores.tenant_id
        and source.booking_id = booking_scores.booking_id
