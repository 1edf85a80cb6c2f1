{# What live views ask the raw tables of a booking at the moment they are read: `bookings` with `sessions`, named as the staging
   model, and `persons`, the mart of clients with the person each is, beside them. By client, as the raw table is indexed: any
   of the person's, because who booked by one channel may cancel by another. #}

{% macro clients_of_person(bookings) -%}
    array(
        select persons.client_id
        from persons
        where {{ bookings }}.tenant_id = persons.tenant_id and {{ bookings }}.person_id = persons.person_id
    ) || {{ bookings }}.client_id
{%- endmacro %}


{# The time that the last dialogue told, NULL where none tells one. #}
{% macro time_told_last(bookings) -%}
    (
        select sessions.booking_at
        from sessions
        where
            {{ bookings }}.tenant_id = sessions.tenant_id
            and sessions.client_id = any({{ clients_of_person(bookings) }})
            and {{ bookings }}.booking_id = sessions.booking_id
            and sessions.booking_at is not null
        order by sessions.started_at desc, sessions.session_id desc
        limit 1
    )
{%- endmacro %}


{# Whether a dialogue cancelled it, missed it or moved it to another id, and none after that says that it stands. #}
{% macro is_given_up(bookings) -%}
    exists (
        select 1
        from sessions
        where
            {{ bookings }}.tenant_id = sessions.tenant_id
            and sessions.client_id = any({{ clients_of_person(bookings) }})
            and sessions.started_at >= {{ bookings }}.booked_at
            and (
                (
                    sessions.booking_id = {{ bookings }}.booking_id
                    and {{ status_kind('sessions.booking_status') }} in ('cancelled', 'no_show')
                )
                or {{ read_scalar("sessions.meta -> 'cancelled_booking_id'") }} = {{ bookings }}.booking_id
                or (
                    sessions.booking_id <> {{ bookings }}.booking_id
                    and {{ read_scalar("sessions.meta -> 'rescheduled_from'") }} = {{ bookings }}.booking_id
                )
            )
            and not exists (
                select 1
                from sessions as later
                where
                    sessions.tenant_id = later.tenant_id
                    and later.client_id = any({{ clients_of_person(bookings) }})
                    and later.booking_id = {{ bookings }}.booking_id
                    and (sessions.started_at, sessions.session_id) < (later.started_at, later.session_id)
                    and {{ is_standing(status_kind('later.booking_status')) }}
            )
    )
{%- endmacro %}
