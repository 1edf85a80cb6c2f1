select
    ---------- ids
    source.tenant_id,
    source.message_key,
    source.client_id,

    ---------- text
    source.payload ->> 'segment' as segment,

    ---------- numbers
    case
        when source.payload ->> 'days_since_last_visit' ~ {{ day_count_pattern() }}
            then (source.payload ->> 'days_since_last_visit')::integer
    end as days_since_last_visit,
    case
        when source.payload ->> 'avg_visit_interval' ~ {{ day_count_pattern() }}
            then (source.payload ->> 'avg_visit_interval')::integer
    end as avg_visit_interval,

    ---------- booleans
    source.is_held_out,

    ---------- timestamps
    source.created_at
from {{ source('past_activation', 'past_messages') }} as source
where source.kind = 'win_back'
