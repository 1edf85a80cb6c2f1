{# What a build notes beside a figure when it shows it, so that the reason of a later change can be told. #}

{# The moment from which readers see what this build published before the model that asks, by the server's clock. #}
{% macro shown_at() -%}
    {%- set moment = run_query("select statement_timestamp()::text").rows[0][0] if execute else '2000-01-01 00:00+00' -%}
    timestamptz '{{ moment }}'
{%- endmacro %}


{# What everything was computed by until this build, where that is known and was another; '' otherwise. Asked of the runs, not
   of the figures: one that a new definition left as it was keeps the hash of the definition that it was first shown under. #}
{% macro definition_before() -%}
    {%- set found = run_query(
        "select definition from build.runs where outcome = 'complete' and definition ~ '^[0-9a-z]+$'"
        ~ " order by finished_at desc limit 1"
    ).rows if execute and definition() else [] -%}
    {{ return(found[0][0] if found | length > 0 and found[0][0] != definition() else '') }}
{%- endmacro %}


{# A build that looks back takes no figure back of days that are ahead of it. What goes while one does is nobody's change to the
   build after it: that one looks again at every day shown since. #}
{% macro claim_days_shown() %}
    {%- set shown = mart_if_built('figures_shown') -%}
    {% if shown %}
    insert into build.touched_days (tenant_id, day, claimed_at)
    select distinct shown.tenant_id, shown.day, statement_timestamp()
    from (
        select runs.as_of, runs.claimed_at
        from build.runs
        where runs.outcome = 'complete'
        order by runs.claimed_at desc
        limit 1
    ) as previous
    inner join {{ shown }} as shown on shown.day >= left(previous.as_of, 10)::date - 1
    where exists (
        select 1
        from build.runs as earlier
        where
            earlier.outcome = 'complete'
            and earlier.claimed_at < previous.claimed_at
            and {{ end_of_as_of('earlier.as_of') }} > {{ end_of_as_of('previous.as_of') }}
    )
    on conflict (tenant_id, day) do update set claimed_at = excluded.claimed_at;
    {% endif %}
{% endmacro %}


{# Up to when a build looked, in UTC: the end of a day, or an instant. #}
{% macro end_of_as_of(as_of) -%}
    {{ as_of }}::timestamptz + case when length({{ as_of }}) = 10 then interval '1 day' else interval '0' end
{%- endmacro %}
