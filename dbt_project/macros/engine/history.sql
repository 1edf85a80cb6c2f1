{# What a source overwrites or deletes (a status, a plan, a price), kept from the first build on: the body of a model that is
   materialized as `kept`. One row per value of the `watched` columns that a build saw of a `key` in `rows`, and one when the
   row is gone. `valid_from` is the `as_of` of the build that first saw it, in the tenant's zone where `as_of` is a day: what
   stood before the first build nobody knows, and its row says so (`is_first_seen`). A build for an earlier moment than the
   last one, or for the same, writes nothing that it would have to take back, and nothing is ever rewritten. #}
{% macro keep_history(rows, key, watched, timezone) -%}
    {%- set keys = ['tenant_id'] + key -%}
with

present as (

    select
        {{ quote_columns(keys + watched, 'rows') }},
        {{ as_of_moment(timezone) }} as seen_at
    from {{ rows }} as rows

),

kept as (

    select distinct on ({{ quote_columns(keys, 'history') }})
        {{ quote_columns(keys + watched, 'history') }},
        history.valid_from,
        history.is_deleted
    from {{ this }} as history
    order by {{ quote_columns(keys, 'history') }}, history.valid_from desc

),

-- A build whose moment lies before the last one's looks back, and sees today's rows.
looked_back as (

    select {{ has_as_of_moved_back() }} as is_so

),

changed as (

    select
        {{ quote_columns(keys + watched, 'present') }},
        present.seen_at as valid_from,
        kept.tenant_id is null as is_first_seen,
        false as is_deleted,
        kept.valid_from as kept_from
    from present
    left join kept on {{ equal_keys(keys, 'present', 'kept') }}
    where
        kept.tenant_id is null
        or kept.is_deleted
        or ({{ quote_columns(watched, 'present') }}) is distinct from ({{ quote_columns(watched, 'kept') }})
    union all
    select
        {{ quote_columns(keys + watched, 'kept') }},
        {{ as_of_moment("'" ~ var('default_timezone') ~ "'") }} as valid_from,
        false as is_first_seen,
        true as is_deleted,
        kept.valid_from as kept_from
    from kept
    where
        not kept.is_deleted
        and not exists (select 1 from present where {{ equal_keys(keys, 'present', 'kept') }})

)

select
    {{ quote_columns(keys + watched, 'changed') }},
    changed.valid_from,
    changed.is_first_seen,
    changed.is_deleted
from changed
cross join looked_back
where
    not looked_back.is_so
    and (changed.kept_from is null or changed.valid_from > changed.kept_from)
{%- endmacro %}
