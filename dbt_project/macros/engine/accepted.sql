{# Rows that the gate set aside (quality.rows_set_aside) stay out of everything that is built, until they are repaired
   (REQUIREMENTS B5), and so does a row without a tenant, which the gate sets aside as well. `source` is the raw table's alias. #}

{% macro is_accepted(table, key='id', tenant='source.tenant_id') -%}
    {{ tenant }} is not null
    and not exists (
        select 1
        from {{ source('quality', 'rows_set_aside') }} as set_aside
        where
            set_aside.tenant_id = {{ tenant }}
            and set_aside.table_name = '{{ table }}'
            and set_aside.row_key = coalesce(source.{{ key }}::text, '')
    )
{%- endmacro %}
