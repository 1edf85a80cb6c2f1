{# Whether a dialogue meant to book: what the bot recorded as its intent says so; where it recorded none, any step taken does. #}
{% macro meant_to_book(intent, steps_completed) -%}
    case
        when nullif(btrim({{ intent }}), '') is null then {{ steps_completed }} >= 1
        else lower(btrim({{ intent }})) in {{ booking_intents() }}
    end
{%- endmacro %}


{# The standard's word and others for it; whether Cyrillic capitals are lowered depends on the database's locale. #}
{% macro booking_intents() -%}
    ('booking', 'book', 'запись', 'Запись', 'ЗАПИСЬ')
{%- endmacro %}
