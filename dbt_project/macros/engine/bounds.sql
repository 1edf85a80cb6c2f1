{# How long what a bot writes may be in the marts. One value of megabytes would stop every tenant's build: an index takes 2,704
   bytes, a pattern 250 million signs. The raw row stays as it is, and rules of the data standard tell of it (`*.texts_short`). #}

{# A text, cut. #}
{% macro bounded(expression, longest) -%}
    left({{ expression }}, {{ longest }})
{%- endmacro %}


{# An id: two that begin alike stay two. #}
{% macro bounded_id(expression) -%}
    case
        when octet_length({{ expression }}) > 200 and length({{ expression }}) > 200 then left({{ expression }}, 40) || '#' || md5({{ expression }})
        else {{ expression }}
    end
{%- endmacro %}
