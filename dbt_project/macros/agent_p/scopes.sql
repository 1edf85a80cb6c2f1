{# Clients with anything new, changed or deleted. #}
{% macro is_touched_client(relation, client_column='client_id') -%}
    {{ is_touched('client', relation, client_column) }}
{%- endmacro %}


{# Clients whose bookings or standing may have changed: the touched ones, who shares a booking with them, and those
   whom the clock alone changed (claim_visitors). #}
{% macro is_touched_visitor(relation, client_column='client_id') -%}
    {{ is_touched('visitor', relation, client_column) }}
{%- endmacro %}
