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
        "select definition from build.runs where outcome = 'complete' and definition <> ''"
        ~ " order by finished_at desc limit 1"
    ).rows if execute and definition() else [] -%}
    {{ return(found[0][0] if found | length > 0 and found[0][0] != definition() else '') }}
{%- endmacro %}
