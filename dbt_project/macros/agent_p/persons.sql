{# Whose two clients are: what a phone and a name are compared by (docs/decisions.md, "Persons"). #}

{# A phone as digits, with the country's code in front, to compare by and not to show; NULL for what is no phone. A Russian
   or Kazakh number may begin with 8 instead of +7, any with 00 instead of +; E.164 has at most fifteen digits. #}
{% macro phone_key(phone) -%}
    (
        regexp_match(
            regexp_replace(
                regexp_replace(
                    regexp_replace({{ ascii_digits(phone) }}, '[^0-9+]', '', 'g'), '^(00|[+]+)', '+'
                ), '^8([0-9]{10})$', '+7\1'
            ), '^[+]?([0-9]{10,15})$'
        )
    )[1]
{%- endmacro %}


{# The first word of a name in lower case; NULL without a name. #}
{% macro first_name(name) -%}
    lower(substring({{ name }} from '[^[:space:]]+'))
{%- endmacro %}


{# The CTE `identified`: one row per client of the CTE `clients`, of which `condition` leaves all that share a phone or none of
   them, with the person who that is. Who has a phone alone, with three others (a family, an administrator, a number that
   stands for none) or with somebody of another first name is nobody else; a name that is missing agrees with any. #}
{% macro identify_clients(condition='true') -%}
named as (

    select
        tenant_id,
        client_id,
        phone_key,
        created_at,
        {{ first_name('client_name') }} as first_name
    from clients
    where {{ condition }}

),

shared as (

    select
        tenant_id,
        phone_key,
        (array_agg(client_id order by created_at, client_id))[1] as oldest_client_id
    from named
    where phone_key is not null
    group by tenant_id, phone_key
    having count(*) <= 3 and count(distinct first_name) <= 1

),

identified as (

    select
        named.tenant_id,
        named.client_id,
        coalesce(shared.oldest_client_id, named.client_id) as person_id
    from named
    left join shared
        on
            named.tenant_id = shared.tenant_id
            and named.phone_key = shared.phone_key

)
{%- endmacro %}
