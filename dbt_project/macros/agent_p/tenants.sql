{# A whole number of `metadata.settings` that a salon may set for itself; anything else means the project's own. #}
{% macro tenant_setting(name, default) -%}
    case
        when source.metadata -> 'settings' ->> '{{ name }}' ~ {{ whole_number_pattern() }}
            then (source.metadata -> 'settings' ->> '{{ name }}')::integer
        else {{ default }}
    end
{%- endmacro %}


{# A share of a hundred that a salon may set for itself. #}
{% macro tenant_percent(name, default) -%}
    case
        when source.metadata -> 'settings' ->> '{{ name }}' ~ {{ percent_pattern() }}
            then (source.metadata -> 'settings' ->> '{{ name }}')::integer
        else {{ default }}
    end
{%- endmacro %}


{% macro percent_pattern() -%}
    '^([0-9]|[1-9][0-9]|100)$'
{%- endmacro %}


{# Up to four digits, from 1 up. #}
{% macro whole_number_pattern() -%}
    '^[1-9][0-9]{0,3}$'
{%- endmacro %}


{# A time of day as the standard writes it: 21:00. #}
{% macro clock_pattern() -%}
    '^([01][0-9]|2[0-3]):[0-5][0-9]$'
{%- endmacro %}
