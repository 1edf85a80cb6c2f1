{# Fails with one row per tenant-day that is neither the tenant's last nor followed by the next day. #}
{% test no_day_is_missing(model) %}

with

days as (

    select
        tenant_id,
        day,
        lead(day) over (partition by tenant_id order by day) as next_day
    from {{ model }}
    where day >= date '{{ var("calendar_starts_on") }}'

)

select
    tenant_id,
    day,
    next_day
from days
where next_day <> day + 1

{% endtest %}
