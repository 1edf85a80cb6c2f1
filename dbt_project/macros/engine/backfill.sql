{# Days that somebody wants computed anew (`agentp backfill`): the days themselves, for every salon, and before that the
   clients who have anything on them, raw or published, so that what daily marts are summed from is right as well.
   The window is a day wider on both sides, because a day begins and ends at other instants in every zone. #}

{% macro claim_days() %}
    {%- set days = days_to_rebuild() -%}
    {%- if days -%}
    {%- set raw = var('raw_schema') -%}
    {%- set first, last = "date '" ~ days[0] ~ "'", "date '" ~ days[1] ~ "'" -%}
    {%- set since, until = "(" ~ first ~ " - 1)::timestamp at time zone 'UTC'", "(" ~ last ~ " + 2)::timestamp at time zone 'UTC'" -%}
    insert into build.touched_clients (tenant_id, client_id, claimed_at)
    select distinct active.tenant_id, active.client_id, statement_timestamp()
    from (
        select tenant_id, user_id as client_id
        from {{ raw }}.recent_history_v2
        where created_at >= {{ since }} and created_at < {{ until }}
        union all
        select tenant_id, user_id
        from {{ raw }}.conversation_sessions_v2
        where started_at >= {{ since }} and started_at < {{ until }}
        {% for mart, column in [('dialogs', 'sent_day'), ('dialogs', 'session_day'), ('sessions', 'started_day')]
            if mart_if_built(mart) %}
        union all
        select tenant_id, client_id
        from {{ mart_if_built(mart) }}
        where {{ column }} between {{ first }} and {{ last }}
        {% endfor %}
    ) as active
    where active.tenant_id is not null and active.client_id is not null
    on conflict (tenant_id, client_id) do update set claimed_at = excluded.claimed_at;

    insert into build.touched_days (tenant_id, day, claimed_at)
    select distinct tenants.tenant_id, series.day::date, statement_timestamp()
    from (
        select id as tenant_id from {{ raw }}.tenants_v2
        {% if mart_if_built('metrics_dailies') %}
        union
        select tenant_id from {{ mart_if_built('metrics_dailies') }} where day between {{ first }} and {{ last }}
        {% endif %}
    ) as tenants
    cross join generate_series({{ first }}::timestamp, {{ last }}::timestamp, interval '1 day') as series (day)
    on conflict (tenant_id, day) do update set claimed_at = excluded.claimed_at;
    analyze build.touched_days;
    {%- endif -%}
{% endmacro %}
