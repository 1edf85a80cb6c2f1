{# What bots write into `booking_status` or `meta.visit_status`, by what it says (METRICS, "Booking status"): the standard's
   two words, those of other bots in English and Russian, and the attendance codes of YClients (1: came, -1: did not, 2: the client
   confirmed, 0: waits). Only here: who asks what became of a booking asks `visits`. #}
{% macro status_words() %}
    {{ return({
        'created': [
            'created', 'new', 'booked', 'pending', 'scheduled', 'rescheduled', 'waiting', 'requested', '0', 'создана', 'создано', 'создан',
            'новая', 'новое', 'запланирована', 'запланировано', 'записан', 'записана', 'забронировано', 'ожидает', 'ожидание',
            'ожидает_подтверждения', 'перенесена', 'перенесено',
        ],
        'confirmed': ['confirmed', 'approved', '2', 'подтверждена', 'подтверждено', 'подтвержден', 'подтвердил', 'подтвердила'],
        'cancelled': [
            'cancelled', 'canceled', 'cancel', 'cancellation', 'cancelled_early', 'cancelled_late', 'canceled_early', 'canceled_late',
            'deleted', 'declined', 'rejected', 'отменена', 'отменено', 'отменен', 'отменил', 'отменила', 'отмена', 'удалена', 'удалено',
            'отказ',
        ],
        'no_show': [
            'no_show', 'noshow', 'missed', 'not_arrived', 'did_not_come', 'не_пришел', 'не_пришла', 'не_явился', 'не_явилась',
            'неявка', 'пропущена', 'пропущено',
        ],
        'arrived': [
            'arrived', 'completed', 'visited', 'attended', 'done', 'came', '1', 'пришел', 'пришла', 'завершена', 'завершено',
            'завершен', 'выполнена', 'выполнено', 'состоялась', 'состоялся', 'посетил', 'посетила',
        ],
    }) }}
{% endmacro %}


{# What a status says, whatever its capitals, spaces, underscores and hyphens and whoever it names (`cancelled_by_user`): one of the
   kinds above, `unknown` where nobody knows the word, NULL where there is none. #}
{% macro status_kind(text) -%}
    case
        when {{ text }} is null or {{ text }} !~ E'[^\\s\u00a0]' then null
        when {{ text }} in ('confirmed', 'cancelled') then {{ text }}
        -- The sign says the opposite.
        when btrim({{ text }}) = '-1' then 'no_show'
        else case {{ status_word(text) }}
            {%- for kind, words in status_words().items() %}
            {%- for word in words %}
            when '{{ word }}' then '{{ kind }}'
            {%- endfor %}
            {%- endfor %}
            else 'unknown'
        end
    end
{%- endmacro %}


{# Spelt out: whether `lower` knows Cyrillic letters depends on the database's locale. #}
{% macro status_word(text) -%}
    regexp_replace(
        btrim(
            regexp_replace(
                translate(
                    lower({{ text }}), 'АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯё', 'абвгдеежзийклмнопрстуфхцчшщъыьэюяе'
                ),
                E'[\\s\u00a0\u2010-\u2015_-]+', '_', 'g'
            ), '_.'
        ), '_(by_[a-z_]+|клиент(ом|кой)|салоном|мастером|администратором)$', ''
    )
{%- endmacro %}


{# Whether a booking with this kind of status stands until something else is told. #}
{% macro is_standing(kind) -%}
    {{ kind }} in ('created', 'confirmed', 'arrived')
{%- endmacro %}


{# The staff member and the service that a dialogue's `meta` names: the first of several services. #}
{% macro told_staff(meta) -%}
    {{ read_scalar(meta ~ " -> 'staff_id'") }}
{%- endmacro %}


{% macro told_service(meta) -%}
    case
        when jsonb_typeof({{ meta }} -> 'services_selected') = 'array'
            then {{ read_scalar(meta ~ " -> 'services_selected' -> 0") }}
        else {{ read_scalar(meta ~ " -> 'services_selected'") }}
    end
{%- endmacro %}


{# A text or a number of `meta` as text; anything else, and nothing but spaces, says nothing. #}
{% macro read_scalar(value) -%}
    case when {{ is_scalar(value) }} then {{ bounded_id("nullif(btrim((" ~ value ~ ") #>> '{}'), '')") }} end
{%- endmacro %}


{% macro is_scalar(value) -%}
    jsonb_typeof({{ value }}) in ('string', 'number')
{%- endmacro %}
