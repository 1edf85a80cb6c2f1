with

-- Read by index: only days of which something changed have a second version.
shown as not materialized (

    select * from {{ ref('figures_shown') }}

),

restated_days as (

    select distinct
        tenant_id,
        day,
        currency
    from shown
    where version > 1

),

-- Where nothing was shown, the version before or after it says of which measures.
versions as not materialized (

    select
        shown.*,
        coalesce(shown.figures, lag(shown.figures) over by_version, lead(shown.figures) over by_version) as named_figures
    from restated_days
    inner join shown
        on
            restated_days.tenant_id = shown.tenant_id
            and restated_days.day = shown.day
            and restated_days.currency = shown.currency
    window by_version as (partition by shown.tenant_id, shown.day, shown.currency order by shown.version)

),

-- A build that changes the day's rows changes the day's own figures, so that the two have the same moment.
counts as (

    select
        tenant_id,
        day,
        version,
        shown_at,
        (figures ->> 'messages')::bigint as messages,
        (figures ->> 'dialogs_started')::bigint + (figures ->> 'inferred_sessions')::bigint as sessions
    from versions
    where currency = ''

),

growths as (

    select
        tenant_id,
        day,
        shown_at,
        coalesce(messages, 0) - coalesce(lag(messages) over (partition by tenant_id, day order by version), 0) as more_messages,
        coalesce(sessions, 0) - coalesce(lag(sessions) over (partition by tenant_id, day order by version), 0) as more_sessions
    from counts

),

figures as (

    select
        versions.tenant_id,
        versions.day,
        versions.currency,
        versions.version,
        versions.shown_at,
        versions.figures is not null as is_shown,
        versions.definition_before,
        versions.timezone_before,
        figure.measure,
        case when versions.figures is not null then figure.value::numeric end as value
    from versions
    cross join lateral jsonb_each_text(versions.named_figures) as figure (measure, value)

),

compared as (

    select
        *,
        row_number() over by_version as place,
        first_value(value) over by_version as first_value,
        first_value(shown_at) over by_version as first_shown_at,
        lag(value) over by_version as previous_value
    from figures
    window by_version as (partition by tenant_id, day, currency, measure order by version)

),

-- A measure that a later version is the first to have was shown before by none.
restated as (

    select
        *,
        row_number() over (partition by tenant_id, day, currency, measure order by version desc) = 1 as is_current
    from compared
    where place > 1 and value is distinct from previous_value

)

select
    restated.tenant_id,
    restated.day,
    restated.measure,
    restated.currency,
    restated.first_value,
    restated.first_shown_at,
    restated.previous_value,
    restated.value,
    restated.value - restated.previous_value as change,
    restated.shown_at as restated_at,
    case
        when not restated.is_shown then 'withdrawn'
        when restated.definition_before is not null then 'definition'
        when restated.timezone_before is not null then 'timezone'
        when growths.more_messages > 0 then 'late_rows'
        when growths.more_messages < 0 then 'removed_rows'
        when growths.more_sessions > 0 then 'late_rows'
        when growths.more_sessions < 0 then 'removed_rows'
        else 'changed_rows'
    end as reason,
    restated.is_current
from restated
left join growths
    on
        restated.tenant_id = growths.tenant_id
        and restated.day = growths.day
        and restated.shown_at = growths.shown_at
