select
    ---------- ids
    source.rule_id,

    ---------- text
    source.table_name,
    source.section,
    source.severity,
    source.action,
    source.problem,
    source.meaning_en,
    source.meaning_ru
from {{ source('quality', 'rules') }} as source
