{# What bots write into `booking_status` or `meta.visit_status` besides the standard's confirmed: the words
   and attendance codes of YClients (1: came, -1: did not; 2 only says that the client confirmed). #}

{% macro arrived_words() -%}
    ('arrived', 'completed', 'visited', 'attended', 'done', '1')
{%- endmacro %}


{% macro cancelled_words() -%}
    ('cancelled', 'canceled')
{%- endmacro %}


{% macro missed_words() -%}
    ('no_show', 'noshow', 'no-show', 'missed', '-1')
{%- endmacro %}


{# A text or a number of `meta` as text; anything else, and nothing but spaces, says nothing. #}
{% macro read_scalar(value) -%}
    case when {{ is_scalar(value) }} then {{ bounded_id("nullif(btrim((" ~ value ~ ") #>> '{}'), '')") }} end
{%- endmacro %}


{% macro is_scalar(value) -%}
    jsonb_typeof({{ value }}) in ('string', 'number')
{%- endmacro %}
