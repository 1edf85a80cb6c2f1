{# Reading the bots' tables part by part (issue 7, "reads in bounded batches"): models that compute entities by themselves read
   the rows of some of them at a time, each part in a transaction of its own, so that no statement lasts long and nothing is
   held over all of them. What was read is published at once, as ever. One whose rows change between two parts is queued
   by that change, and read anew by the next build. #}



{# A condition of which `narrow_to_batch` makes what it is for each part. No server knows such a function: a statement that
   was not narrowed fails. #}
{% macro in_batch(column) -%}
    agentp_batch({{ column }})
{%- endmacro %}


{% macro narrow_to_batch(sql, after, up_to) %}
    {%- set conditions = [] -%}
    {%- if after %}{% do conditions.append("\\1 > '" ~ after ~ "'") %}{% endif -%}
    {%- if up_to %}{% do conditions.append("\\1 <= '" ~ up_to ~ "'") %}{% endif -%}
    {{ return(modules.re.sub("agentp_batch[(]([^()]+)[)]", conditions | join(' and ') or 'true', sql)) }}
{% endmacro %}


{# Read the model part by part; return SQL for all that was read, or the SQL as it is where the build has no parts. Ends with
   a transaction open that holds nothing; the driver begins only the first of a connection by itself. #}
{% macro gather_batches(sql, key) %}
    {%- if 'agentp_batch(' not in sql %}{{ return(sql) }}{% endif -%}
    {%- set names = quote_columns(model.columns.keys()) -%}
    {%- set gathered = adapter.quote(this.identifier ~ '__gathered') -%}
    {% do set_limits() %}
    {%- set ends = run_query("select up_to::uuid from build.batches order by up_to").columns[0].values() | list -%}
    {% do run_query(
        "create temporary table " ~ gathered ~ " as select " ~ names ~ " from (" ~ narrow_to_batch(sql, none, none)
        ~ ") as built with no data"
    ) %}
    {# A row that moved to an entity of a later part meanwhile is found twice, and counts where it was first. One that the
       model itself makes twice fails here, as it does when all is read at once. #}
    {% do run_query("alter table " ~ gathered ~ " add primary key (" ~ quote_columns(key) ~ ")") %}
    {% do run_query("commit; begin") %}
    {%- for up_to in ends + [none] -%}
        {% do run_query(
            "insert into " ~ gathered ~ " select " ~ names ~ " from ("
            ~ narrow_to_batch(sql, none if loop.first else ends[loop.index0 - 1], up_to) ~ ") as built where not exists ("
            ~ "select 1 from " ~ gathered ~ " as earlier where " ~ equal_keys(key, 'built', 'earlier') ~ ")"
        ) %}
        {% do run_query("commit; begin") %}
    {%- endfor -%}
    {% do run_query("analyze " ~ gathered) %}
    {% do run_query("commit; begin") %}
    {{ return("select " ~ names ~ " from " ~ gathered) }}
{% endmacro %}
