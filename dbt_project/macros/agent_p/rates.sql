{# Wilson's 95 % interval of a rate (Wilson 1927, JASA 22:209-212): right where counts are small or rates near 0 or 1.
   NULL over nothing (METRICS, house rules), and where the part is more than the whole, which only a mart that somebody
   edited can have: a test tells of that, an error would stop what could mend it. #}

{% macro rate_of(part, whole) -%}
    round({{ part }}::numeric / nullif({{ whole }}, 0), 4)
{%- endmacro %}


{# Whether enough of who came or missed was recorded for a rate of them to say anything (METRICS, "Booking status": unknown is never
   completed). A rate of no presumed visit always is. #}
{% macro is_attendance_told(presumed, attendance, percent) -%}
    ({{ presumed }} = 0 or ({{ attendance }} - {{ presumed }}) * 100 >= {{ attendance }} * {{ percent }})
{%- endmacro %}


{% macro wilson_low(part, whole) -%}
    {{ wilson_bound(part, whole, '-') }}
{%- endmacro %}


{% macro wilson_high(part, whole) -%}
    {{ wilson_bound(part, whole, '+') }}
{%- endmacro %}


{% macro wilson_bound(part, whole, sign) -%}
    {%- set z = '1.959964' -%}
    case
        when {{ whole }} > 0 and {{ part }} between 0 and {{ whole }}
            then round(
                least(1, greatest(0, (
                    {{ part }}::numeric / {{ whole }} + {{ z }} ^ 2 / (2 * {{ whole }})
                    {{ sign }} {{ z }} * sqrt(
                        {{ part }}::numeric / {{ whole }} * (1 - {{ part }}::numeric / {{ whole }}) / {{ whole }}
                        + {{ z }} ^ 2 / (4 * {{ whole }}::numeric ^ 2)
                    )
                ) / (1 + {{ z }} ^ 2 / {{ whole }}))), 4
            )
    end
{%- endmacro %}
