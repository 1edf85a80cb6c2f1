{# What a message brought, or its being left unsent (docs/decisions.md, "Activation"): of rows of `outbox`, by any name. #}

{# Whether the days that count for it are over; asked beside `tenants`. #}
{% macro is_uplift_assessable(outbox) -%}
    {{ outbox }}.created_at + interval '24 hours' * {{ var('uplift_window_days') }} <= {{ as_of_moment(tenant_timezone()) }}
{%- endmacro %}


{# Whether who a message was for, or was held out, booked afterwards and came within the days that count for it. Reads the CTEs
   `clients` and `visits` by index: a person's clients one by one, by who is who at the moment of asking. #}
{% macro has_come_after(outbox) -%}
    exists(
        select 1
        from (
            select
                {{ outbox }}.tenant_id,
                {{ outbox }}.client_id
            union
            select
                kin.tenant_id,
                kin.client_id
            from clients as written
            inner join clients as kin
                on
                    written.tenant_id = kin.tenant_id
                    and written.person_id = kin.person_id
            where {{ outbox }}.tenant_id = written.tenant_id and {{ outbox }}.client_id = written.client_id
        ) as met
        inner join visits
            on
                met.tenant_id = visits.tenant_id
                and met.client_id = visits.client_id
        where
            {{ outbox }}.tenant_id = visits.tenant_id
            and visits.is_visit
            and visits.booked_at > {{ outbox }}.created_at
            and visits.visit_at > {{ outbox }}.created_at
            and visits.visit_at <= {{ outbox }}.created_at + interval '24 hours' * {{ var('uplift_window_days') }}
    )
{%- endmacro %}
