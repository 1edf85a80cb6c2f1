{# Whose bookings and standing a scoped build computes anew. A booking is one row even when dialogues of several clients
   name it, so that all of them are taken along, and whom they share other bookings with, and so on; so are all who have or
   had one phone, because they are or were one person. What depends on `as_of` alone changes without any row: a booking's
   time comes, a client is lost. #}

{% macro claim_visitors() %}
    {%- set visits = mart_if_built('visits') -%}
    {%- set clients = mart_if_built('clients') -%}
    {%- set persons = mart_if_built('persons') -%}
    insert into build.touched_visitors (tenant_id, client_id, claimed_at)
    select tenant_id, client_id, statement_timestamp()
    from build.touched_clients
    where tenant_id <> {{ everything() }}
    on conflict (tenant_id, client_id) do update set claimed_at = excluded.claimed_at;

    {% if visits and clients and persons %}
    insert into build.touched_visitors (tenant_id, client_id, claimed_at)
    select distinct due.tenant_id, due.client_id, statement_timestamp()
    from (
        select visits.tenant_id, visits.client_id
        from {{ visits }} as visits
        left join {{ raw_schema_of('agent_p') }}.tenants_v2 as tenants on visits.tenant_id = tenants.id
        where
            {{ has_as_of_moved_back() }}
            or (visits.outcome = 'upcoming' and visits.visit_at < {{ as_of_moment(raw_timezone()) }})
        union all
        select clients.tenant_id, clients.client_id
        from {{ clients }} as clients
        left join {{ raw_schema_of('agent_p') }}.tenants_v2 as tenants on clients.tenant_id = tenants.id
        where {{ has_as_of_moved_back() }} or clients.next_change_at <= {{ as_of_moment(raw_timezone()) }}
        union all
        select persons.tenant_id, persons.person_id
        from {{ persons }} as persons
        left join {{ raw_schema_of('agent_p') }}.tenants_v2 as tenants on persons.tenant_id = tenants.id
        where persons.next_change_at <= {{ as_of_moment(raw_timezone()) }}
    ) as due
    where not (select runs.is_full from build.runs where runs.invocation_id = '{{ invocation_id }}')
    on conflict (tenant_id, client_id) do update set claimed_at = excluded.claimed_at;
    {{ close_over_visitors(visits, clients) }}
    {% endif %}
{% endmacro %}


{# Blank ids are no ids (staging). Sessions and phones of clients that nothing touched are
   as they were published. #}
{% macro close_over_visitors(visits, clients) %}
    {%- set sessions = mart_if_built('sessions') -%}
    do $$
    begin
        if (select runs.is_full from build.runs where runs.invocation_id = '{{ invocation_id }}') then
            return;
        end if;
        loop
            insert into build.touched_visitors (tenant_id, client_id, claimed_at)
            select distinct sharing.tenant_id, sharing.client_id, statement_timestamp()
            from (
                select raw_sessions.tenant_id, nullif(btrim(raw_sessions.booking_id), '') as booking_id
                from build.touched_visitors as touched
                inner join {{ raw_schema_of('agent_p') }}.conversation_sessions_v2 as raw_sessions
                    on touched.tenant_id = raw_sessions.tenant_id and touched.client_id = raw_sessions.user_id
                union
                select built.tenant_id, built.booking_id
                from build.touched_visitors as touched
                inner join {{ sessions }} as built
                    on touched.tenant_id = built.tenant_id and touched.client_id = built.client_id
                union
                select visits.tenant_id, visits.booking_id
                from build.touched_visitors as touched
                inner join {{ visits }} as visits
                    on touched.tenant_id = visits.tenant_id and touched.client_id = visits.client_id
            ) as named
            inner join {{ sessions }} as sharing
                on named.tenant_id = sharing.tenant_id and named.booking_id = sharing.booking_id
            union
            select kin.tenant_id, kin.client_id, statement_timestamp()
            from (
                select raw_clients.tenant_id, {{ phone_key('raw_clients.phone') }} as phone_key
                from build.touched_clients as touched
                inner join {{ raw_schema_of('agent_p') }}.clients_v2 as raw_clients
                    on touched.tenant_id = raw_clients.tenant_id and touched.client_id = raw_clients.id
                union
                select built.tenant_id, built.phone_key
                from build.touched_visitors as touched
                inner join {{ clients }} as built
                    on touched.tenant_id = built.tenant_id and touched.client_id = built.client_id
            ) as phones
            inner join {{ clients }} as kin
                on phones.tenant_id = kin.tenant_id and phones.phone_key = kin.phone_key
            on conflict (tenant_id, client_id) do nothing;
            exit when not found;
        end loop;
    end
    $$;
{% endmacro %}




{# A tenant's zone as staging makes it valid, for a raw row joined as `tenants`. #}
{% macro raw_timezone() -%}
    coalesce(
        (
            select timezones.timezone
            from build.timezones
            where timezones.timezone = tenants.metadata -> 'settings' ->> 'timezone'
        ),
        '{{ var("default_timezone") }}'
    )
{%- endmacro %}
