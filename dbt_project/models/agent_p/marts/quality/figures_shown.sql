{{ config(
    materialized='kept',
    indexes=[['tenant_id', 'shown_at']],
    post_hook="{{ create_indexes(this, {'figures_shown_restated': '(tenant_id, day, currency) where version > 1'}) }}"
) }}

with

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

-- A build for a moment ahead calls days over that are not: nobody was shown them yet.
published as (

    select figures.*
    from {{ ref('int_figures_published') }} as figures
    left join tenants on figures.tenant_id = tenants.tenant_id
    where figures.day < {{ local_day(shown_at(), tenant_timezone()) }}

),

-- Read by index, a few rows a salon or day.
shown as not materialized (

    select * from {{ this }}

),

latest as (

    select distinct on (tenant_id, day, currency) *
    from shown
    where {{ is_touched_day('shown') }}
    order by tenant_id asc, day asc, currency asc, version desc

),

first_shown as (

    select
        tenant_id,
        day,
        shown_at
    from shown
    where currency = '' and version = 1 and {{ is_touched_day('shown') }}

),

-- A day that is not final under this build's `as_of` was not taken back, and a day of nothing but zeros may leave the calendar
-- (a salon that left, a look back): nothing was lost with it.
differing as (

    select
        coalesce(published.tenant_id, latest.tenant_id) as tenant_id,
        coalesce(published.day, latest.day) as day,
        coalesce(published.currency, latest.currency) as currency,
        coalesce(latest.version, 0) as version_before,
        published.figures
    from published
    full join latest
        on
            published.tenant_id = latest.tenant_id
            and published.day = latest.day
            and published.currency = latest.currency
    left join tenants on latest.tenant_id = tenants.tenant_id
    where
        published.figures is distinct from latest.figures
        and (
            published.figures is not null
            or (
                {{ is_final_day('latest.day', tenant_timezone()) }}
                and jsonb_path_exists(latest.figures, '$.* ? (@ > 0 || @ < 0)')
            )
        )

),

-- A currency that turns up on a day that was shown without it was shown as nothing: that is its first version.
numbered as (

    select
        differing.tenant_id,
        differing.day,
        differing.currency,
        differing.version_before + 1
        + (differing.version_before = 0 and first_shown.tenant_id is not null)::integer as version,
        {{ shown_at() }} as shown_at,
        differing.figures
    from differing
    left join first_shown
        on
            differing.tenant_id = first_shown.tenant_id
            and differing.day = first_shown.day
    union all
    select
        differing.tenant_id,
        differing.day,
        differing.currency,
        1 as version,
        first_shown.shown_at,
        null as figures
    from differing
    inner join first_shown
        on
            differing.tenant_id = first_shown.tenant_id
            and differing.day = first_shown.day
    where differing.version_before = 0

),

-- Where each salon was when a figure of it was noted last: by index, one look-up a salon.
places as materialized (

    select
        tenants.tenant_id,
        tenants.timezone,
        (
            select shown.timezone
            from shown
            where shown.tenant_id = tenants.tenant_id
            order by shown.shown_at desc
            limit 1
        ) as timezone_before
    from tenants

)

select
    numbered.tenant_id,
    numbered.day,
    numbered.currency,
    numbered.version,
    numbered.shown_at,
    numbered.figures,
    '{{ definition() }}' as definition,
    nullif('{{ definition_before() }}', '') as definition_before,
    coalesce(places.timezone, '{{ var("default_timezone") }}') as timezone,
    nullif(places.timezone_before, places.timezone) as timezone_before
from numbered
left join places on numbered.tenant_id = places.tenant_id
