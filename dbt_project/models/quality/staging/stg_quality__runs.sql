select
    ---------- ids
    source.run_id,

    ---------- text
    source.outcome,

    ---------- booleans
    source.is_full,

    ---------- timestamps
    source.present as present_at,
    source.started_at,
    source.finished_at
from {{ source('quality', 'runs') }} as source
