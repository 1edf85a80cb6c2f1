{# What people write may hold how to reach them, what they pay with and what opens doors (issue 7). Staging replaces it where it
   enters; the raw tables keep it. Secrets become [secret], e-mail addresses [e-mail], numbers of cards [card], phones [phone].
   Kept are dates, times, prices, UUIDs and numbers of up to nine digits.

   The patterns mean the same to Postgres and to Python's `re` (agentp/redaction.py; tests/dbt/test_redaction.py holds the two
   together). No lazy quantifiers; before a match only one sign is looked at: Postgres reads a text from its start anew
   for every longer look back. They stand in E'…', which reads \u the same whatever `standard_conforming_strings` says. #}
{% macro redacted_text(expression, longest=1000000) -%}
    {%- set expression = 'left(' ~ expression ~ ', ' ~ longest ~ ')' -%}
    case
        when {{ may_hold_numbers(expression) }}
            then regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace({{ ascii_digits(expression) }}, E'{{ secret_pattern() }}', '[secret]', 'g'),
                        E'{{ email_pattern() }}', '[e-mail]', 'g'
                    ),
                    E'{{ card_pattern() }}', '[card]', 'g'
                ),
                E'{{ phone_pattern() }}', '[phone]', 'g'
            )
        else {{ expression }}
    end
{%- endmacro %}


{# A word out of a few, where bots keep to them; anything else may hold anything. Comparing costs next to nothing. #}
{% macro redacted_word(expression, known) -%}
    case
        when {{ expression }} in ('{{ known | join("', '") }}') then {{ expression }}
        else {{ redacted_text(expression, 100) }}
    end
{%- endmacro %}


{# What every text has that a pattern is found in, the cheap things first: most texts go no further than the first line, and few
   of the rest further than the second (a phone has three digits in a row, a plus, or a 0 before its code). A whole pattern costs
   fifty times as much. #}
{% macro may_hold_numbers(expression) -%}
    {%- set digit = '0-9\\u0660-\\u0669\\u06f0-\\u06f9\\uff10-\\uff19' -%}
    {{ expression }} ~ E'[{{ digit }}@:=\uff1a\uff1d\uff20]|[Ee][Aa][Rr][Ee][Rr] |eyJ'
            and {{ expression }} ~ E'[{{ digit }}]{3}|[+\uff0b@\uff20]|[0\u0660\u06f0\uff10][{{ digit }}][^{{ digit }}]|[YyNnTtDd\u042c\u044c\u041d\u043d]["'' \t]*[:=\uff1a\uff1d]|[Ee][Rr][ :]|eyJ'
            and (
                {{ expression }} ~ E'[@\uff20]|(?:[{{ digit }}][^{{ digit }}]{0,3}){8}[{{ digit }}]'
                or {{ expression }} ~ E'{{ secret_words() }}|[Ee][Rr][ :]|eyJ|[0-9]{6}[:\uff1a]'
            )
{%- endmacro %}


{# Digits of Arabic, Persian and full width, and the signs of full width that stand among them, as the keyboard has them. #}
{% macro ascii_digits(expression) -%}
    translate({{ expression }}, E'\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669'
        || E'\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19'
        || E'\uff0b\uff08\uff09\uff0d\uff0e\uff0f\uff1a\uff1d\uff20', '012345678901234567890123456789+()-./:=@')
{%- endmacro %}


{# A Telegram bot's token, a JWT, `Bearer …`, and what a word such as password says of what follows it. #}
{% macro secret_pattern() -%}
    [0-9]{6,20}:[A-Za-z0-9_-]{30,}
    {{- '|' }}(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}[.][A-Za-z0-9_-]{5,}(?:[.][A-Za-z0-9_-]+)?
    {{- '|' }}[Bb][Ee][Aa][Rr][Ee][Rr][ :]{1,3}[A-Za-z0-9._~+/=-]{8,}
    {{- '|' }}(?:{{ secret_words() }})["'']?[ \t]{0,3}[:=][ \t]{0,3}["'']?[^ \t\r\n"'',;]{4,}
{%- endmacro %}


{# Spelt out in both cases: whether `~*` knows Cyrillic letters depends on the database's locale. #}
{% macro secret_words() -%}
    [Kk][Ee][Yy]|[Tt][Oo][Kk][Ee][Nn]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Pp][Aa][Ss][Ss][Ww][Oo]?[Rr]?[Dd]|[Pp][Ww][Dd]
    {{- '|' }}[\u041f\u043f][\u0410\u0430][\u0420\u0440][\u041e\u043e][\u041b\u043b][\u042c\u044c]
    {{- '|' }}[\u0422\u0442][\u041e\u043e][\u041a\u043a][\u0415\u0435][\u041d\u043d]
{%- endmacro %}


{# Letters are spelt out as well: Latin, Greek, Cyrillic and their neighbours. #}
{% macro email_pattern() -%}
    {%- set letter = '0-9A-Za-z_\\u00c0-\\u024f\\u0370-\\u1fff' -%}
    (?<![{{ letter }}.+%-])[{{ letter }}.+%-]+@[{{ letter }}-]+(?:[.][{{ letter }}-]+)+
{%- endmacro %}


{# In fours, as 4-6-5 and 4-6-4, or 8-8, beginning as no year does; or 16 digits and more in one piece. Shorter pieces are phones. #}
{% macro card_pattern() -%}
    {%- set between = '[ \\t\\u00a0\\u00ad\\u2000-\\u2015\\u202a-\\u202f\\u2060-\\u2069\\u2212\\u3000\\ufeff.-]{1,3}' -%}
    (?<![0-9A-Fa-f])(?:(?:2[2-7]|[345689][0-9])[0-9]{2}(?:
    {{- '' }}(?:{{ between }}[0-9]{4}){2,3}{{ between }}[0-9]{1,7}
    {{- '|' }}{{ between }}[0-9]{6}{{ between }}[0-9]{4,5}
    {{- '|' }}[0-9]{4}{{ between }}[0-9]{8})
    {{- '|' }}[0-9]{16,})(?![0-9A-Fa-f])
{%- endmacro %}


{# One line a way of writing them: with a plus; behind 00; Russian ones behind 8 or 7, also cut by a line break; neighbours' without
   their plus; without any prefix; with the 0 that countries dial before a code, in brackets, of two, three, four or five digits or in
   pairs, and behind an 8 or a 0 by itself; in one piece, where twelve digits behind a dash are the end of a UUID; behind a name
   of letters that a hash may have. `:30` or `.26` behind one tells that it is a time or a day, and so does a day after a code.
   Dates, prices and numbers of rooms begin with 0 as well: so a round number in groups of three is none, nor is a year behind a month.
   Letter by letter that of agentp/redaction.py (tests/redaction_examples.toml). #}
{% macro phone_pattern() -%}
    {%- set signs = ' \\t\\u00a0\\u00ad\\u2000-\\u2015\\u202a-\\u202f\\u2060-\\u2069\\u2212\\u3000\\ufeff()~.-' -%}
    {%- set close = '[' ~ signs ~ ']' -%}
    {%- set between = '[][/' ~ signs ~ ']' -%}
    {%- set line = '[][/\\r\\n' ~ signs ~ ']' -%}
    {%- set before = '(?<![0-9A-Fa-f])' -%}
    {%- set before_zero = '(?<![0-9A-Fa-f-])' -%}
    {%- set after = '(?![0-9A-Fa-f]|[.:-][0-9])' -%}
    {%- set no_day = '(?!(?:[0-2]?[0-9]|3[01])[./](?:0?[1-9]|1[0-2])[./](?:20)?[0-9]{2}(?![0-9]))' -%}
    (?<![0-9])[+]{{ line }}{0,2}(?:7(?:{{ line }}{0,3}[0-9]){10}|[1-689](?:{{ line }}{0,3}[0-9]){8}(?:{{ between }}{0,3}[0-9]){0,6})(?![0-9])
    {{- '|' }}{{ before_zero }}00{{ between }}{0,2}[1-9](?:{{ between }}{0,3}[0-9]){8,13}{{ after }}
    {{- '|' }}{{ before }}[78]{{ between }}{0,3}[34789][0-9]{2}(?:{{ line }}{0,3}[0-9]){7}{{ after }}
    {{- '|' }}{{ before }}[78] ?[\r\n]{1,2} ?[(]?[34789][0-9]{2}(?:{{ between }}{0,3}[0-9]){7}{{ after }}
    {{- '|' }}{{ before }}8{{ between }}{0,3}0[1-9][0-9](?:{{ line }}{0,3}[0-9]){7}{{ after }}
    {{- '|' }}{{ before }}(?:37|38|99)[0-9]{{ between }}{1,3}[0-9]{2}(?:{{ between }}{0,3}[0-9]){7}{{ after }}
    {{- '|' }}{{ before }}38{{ between }}{1,3}0[1-9][0-9](?:{{ between }}{0,3}[0-9]){7}{{ after }}
    {{- '|' }}{{ before }}[(]?[3489][0-9]{2}{{ close }}{1,3}(?:[0-9]{{ close }}{0,2}){6}[0-9]{{ after }}
    {{- '|' }}{{ before }}[(]?[3489][0-9]{2}[)]?(?:/|[\r\n]{1,2})[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}{{ after }}
    {{- '|' }}{{ before_zero }}[(]0[1-9][0-9]{0,3}[)](?:{{ line }}{0,3}[0-9]){6,8}{{ after }}
    {{- '|' }}{{ before_zero }}0[1-9](?:(?:[ \u00a0]{1,2}[0-9]{2}){4}|(?:-[0-9]{2}){4}|(?:[.][0-9]{2}){4}|(?:/[0-9]{2}){4}){{ after }}
    {{- '|' }}{{ before_zero }}0[1-9](?:/|[ \u00a0-]{1,3})(?!20[0-9]{2}(?![0-9]))[0-9]{3,4}(?:{{ between }}{0,3}[0-9]){4,5}{{ after }}
    {{- '|' }}{{ before_zero }}0[1-9] [0-9]{2} (?:[0-9]{3}[ -][0-9]{4}|[0-9]{2} [0-9]{4}){{ after }}
    {{- '|' }}{{ before_zero }}0[1-9][0-9]{{ line }}{1,3}{{ no_day }}[0-9](?:{{ line }}{0,3}[0-9]){6,7}{{ after }}
    {{- '|' }}{{ before_zero }}0[1-9][0-9]{2}{{ line }}{1,3}{{ no_day }}[0-9](?:{{ line }}{0,3}[0-9]){4,7}{{ after }}
    {{- '|' }}{{ before_zero }}0[1-9][0-9]{3}{{ line }}{1,3}{{ no_day }}[0-9](?:{{ line }}{0,3}[0-9]){4,6}{{ after }}
    {{- '|' }}{{ before_zero }}0[1-9][0-9]{{ line }}{1,3}(?:[0-9]{6}|[0-9]{2}[ -][0-9]{2}[ -][0-9]{2}|[0-9]{3}[ -](?!000)[0-9]{3}){{ after }}
    {{- '|' }}{{ before_zero }}0[1-9][0-9]{4}[ -][0-9]{5}{{ after }}
    {{- '|' }}{{ before_zero }}[(]0[ -][1-9][0-9]{1,2}[)](?:{{ between }}{0,3}[0-9]){5,6}{{ after }}
    {{- '|' }}{{ before_zero }}0 ?[(][1-9][0-9]{1,4}[)](?:{{ between }}{0,3}[0-9]){5,8}{{ after }}
    {{- '|' }}{{ before_zero }}0[ -][1-9][0-9]{1,2}[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}{{ after }}
    {{- '|' }}{{ before }}(?:[0-9]{10,11}|[0-9]{13,15})(?![0-9A-Fa-f])
    {{- '|' }}(?<![0-9A-Fa-f-])[0-9]{12}(?![0-9A-Fa-f])
    {{- '|' }}[G-Zg-z_][A-Fa-f]{1,3}(?:[78][0-9]{10}|0[0-9]{9})(?![0-9A-Fa-f])
{%- endmacro %}
