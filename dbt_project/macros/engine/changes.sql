{# How a build learns which clients changed: from the queue that the triggers of migration 0005 fill, or, on a
   database that may not be altered, from fingerprints of every client's rows. Either way the clients are moved to
   build.touched_clients in one transaction, and stay there until a build has finished with them. #}

{% macro claim_changes() %}
    {%- if has_change_tracking() -%}
        {{ claim_from_queue() }}
    {%- else -%}
        {{ claim_from_fingerprints() }}
    {%- endif -%}
    {{ claim_from_gate() }}
{% endmacro %}


{# Clients whose rows the gate set aside or took back: nothing else need have changed about them. #}
{% macro claim_from_gate() %}
    with reconsidered as (
        delete from quality.reconsidered_clients
        returning tenant_id, client_id
    )
    insert into build.touched_clients (tenant_id, client_id, claimed_at)
    select tenant_id, client_id, statement_timestamp()
    from reconsidered
    where tenant_id <> {{ nobody() }}
    on conflict (tenant_id, client_id) do update set claimed_at = excluded.claimed_at;
{% endmacro %}


{# All five raw tables must have their triggers, enabled: a queue that misses one table is worse than none. #}
{% macro has_change_tracking() %}
    {%- set found = run_query(
        "select count(*) from pg_trigger as t join pg_class as c on c.oid = t.tgrelid"
        ~ " join pg_namespace as n on n.oid = c.relnamespace where n.nspname = '" ~ var('raw_schema') ~ "'"
        ~ " and c.relname in ('tenants_v2', 'clients_v2', 'conversation_sessions_v2', 'recent_history_v2', 'user_ltm_v2')"
        ~ " and t.tgname in ('agentp_note_insert', 'agentp_note_update', 'agentp_note_delete', 'agentp_note_truncate')"
        ~ " and t.tgenabled in ('O', 'A') and to_regclass('change_tracking.changed_clients') is not null"
    ) -%}
    {{ return(found.rows[0][0] == 20) }}
{% endmacro %}


{% macro claim_from_queue() %}
    {%- set raw = var('raw_schema') -%}
    create temporary table claimed_changes on commit drop as
    with claimed as (
        delete from change_tracking.changed_clients
        returning tenant_id, client_id
    )
    select distinct tenant_id, client_id from claimed;

    insert into build.touched_clients (tenant_id, client_id, claimed_at)
    select distinct touched.tenant_id, touched.client_id, statement_timestamp()
    from (
        select tenant_id, client_id from claimed_changes where client_id is not null
        union all
        select {{ everything() }}, {{ everything() }} from claimed_changes where tenant_id is null
        {% for table, column in [
            (raw ~ '.clients_v2', 'id'),
            (raw ~ '.conversation_sessions_v2', 'user_id'),
            (raw ~ '.recent_history_v2', 'user_id'),
            (dialogs_relation(), 'session_client_id'),
            (dialogs_relation(), 'client_id')
        ] if table %}
        union all
        select clients.tenant_id, clients.{{ column }}
        from {{ table }} as clients
        where clients.tenant_id in (
            select tenants.tenant_id
            from claimed_changes as tenants
            where tenants.client_id is null and tenants.tenant_id is not null
        )
        {% endfor %}
    ) as touched
    where touched.client_id is not null
    on conflict (tenant_id, client_id) do update set claimed_at = excluded.claimed_at;
{% endmacro %}


{# A fingerprint is a sum of row hashes, so that it needs no order; the row counts keep two equal rows from
   looking like none. A tenant's settings are part of its clients' fingerprints. #}
{% macro claim_from_fingerprints() %}
    {%- set raw = var('raw_schema') -%}
    create temporary table fresh_fingerprints on commit drop as
    select rows.tenant_id, rows.client_id,
        sum(rows.row_hash) + count(*)
        + hashtextextended({{ tenant_settings_of_clients() }}, 1) as fingerprint
    from (
        select tenant_id, id as client_id, hashtextextended(clients_v2::text, 1)::numeric as row_hash
        from {{ raw }}.clients_v2
        union all
        select tenant_id, user_id, hashtextextended(conversation_sessions_v2::text, 2)::numeric
        from {{ raw }}.conversation_sessions_v2
        union all
        select tenant_id, user_id, hashtextextended(recent_history_v2::text, 3)::numeric
        from {{ raw }}.recent_history_v2
        union all
        select tenant_id, user_id, hashtextextended(preferred_staff_id, 4)::numeric
        from {{ raw }}.user_ltm_v2
        where preferred_staff_id is not null
    ) as rows
    left join {{ raw }}.tenants_v2 as tenants on rows.tenant_id = tenants.id
    where rows.client_id is not null and rows.tenant_id is not null
    group by rows.tenant_id, rows.client_id, {{ tenant_settings_of_clients() }};

    insert into build.touched_clients (tenant_id, client_id, claimed_at)
    select
        coalesce(fresh.tenant_id, stored.tenant_id),
        coalesce(fresh.client_id, stored.client_id),
        statement_timestamp()
    from fresh_fingerprints as fresh
    full join build.client_fingerprints as stored
        on fresh.tenant_id = stored.tenant_id and fresh.client_id = stored.client_id
    where fresh.fingerprint is distinct from stored.fingerprint
    on conflict (tenant_id, client_id) do update set claimed_at = excluded.claimed_at;

    delete from build.client_fingerprints as stored
    where not exists (
        select 1
        from fresh_fingerprints as fresh
        where fresh.tenant_id = stored.tenant_id and fresh.client_id = stored.client_id
    );
    insert into build.client_fingerprints (tenant_id, client_id, fingerprint)
    select tenant_id, client_id, fingerprint from fresh_fingerprints
    on conflict (tenant_id, client_id) do update set fingerprint = excluded.fingerprint
    where client_fingerprints.fingerprint is distinct from excluded.fingerprint;
{% endmacro %}


{# What a tenant, joined as `tenants`, sets that reaches rows of its clients; the triggers look at the same settings. #}
{% macro tenant_settings_of_clients() -%}
    jsonb_build_array(
        tenants.metadata -> 'settings' ->> 'timezone',
        tenants.metadata -> 'settings' ->> 'loss_period_days',
        tenants.metadata -> 'settings' ->> 'late_cancellation_hours',
        tenants.metadata -> 'settings' ->> 'reply_timeout_hours'
    )::text
{%- endmacro %}


{# A message may name a session of another client of the same tenant. Then both clients' dialogues hang together:
   whose message changed takes along the owners of the sessions it was and is in, and whose session changed takes
   along the authors of the messages that named and name it. #}
{% macro close_over_sessions() %}
    {%- set raw = var('raw_schema') -%}
    {%- set dialogs = dialogs_relation() -%}
    {%- set session_columns = ['session_id', 'legacy_session_id'] if has_raw_column('recent_history_v2', 'legacy_session_id') else ['session_id'] -%}
    insert into build.touched_clients (tenant_id, client_id, claimed_at)
    select distinct linked.tenant_id, linked.client_id, statement_timestamp()
    from (
        {% for column in session_columns %}
        select messages.tenant_id, messages.user_id as client_id
        from build.touched_clients as touched
        inner join {{ raw }}.conversation_sessions_v2 as sessions
            on touched.tenant_id = sessions.tenant_id and touched.client_id = sessions.user_id
        inner join {{ raw }}.recent_history_v2 as messages
            on sessions.tenant_id = messages.tenant_id and sessions.session_id = messages.{{ column }}
        where messages.user_id <> sessions.user_id
        union all
        select sessions.tenant_id, sessions.user_id
        from build.touched_clients as touched
        inner join {{ raw }}.recent_history_v2 as messages
            on touched.tenant_id = messages.tenant_id and touched.client_id = messages.user_id
        inner join {{ raw }}.conversation_sessions_v2 as sessions
            on messages.tenant_id = sessions.tenant_id and messages.{{ column }} = sessions.session_id
        where messages.user_id <> sessions.user_id
        {{ 'union all' if not loop.last }}
        {% endfor %}
        {% if dialogs %}
        union all
        select dialogs.tenant_id, dialogs.client_id
        from build.touched_clients as touched
        inner join {{ dialogs }} as dialogs
            on touched.tenant_id = dialogs.tenant_id and touched.client_id = dialogs.session_client_id
        where dialogs.client_id <> dialogs.session_client_id
        union all
        select dialogs.tenant_id, dialogs.session_client_id
        from build.touched_clients as touched
        inner join {{ dialogs }} as dialogs
            on touched.tenant_id = dialogs.tenant_id and touched.client_id = dialogs.client_id
        where dialogs.client_id <> dialogs.session_client_id
        {% endif %}
    ) as linked
    where not (select runs.is_full from build.runs where runs.invocation_id = '{{ invocation_id }}')
    on conflict (tenant_id, client_id) do nothing;
{% endmacro %}


{# The published dialogues, or nothing before the first build. #}
{% macro dialogs_relation() %}
    {{ return(mart_if_built('dialogs')) }}
{% endmacro %}


{# Whether a raw table has a column that older shapes lack (REQUIREMENTS A2). #}
{% macro has_raw_column(table, column) %}
    {%- if not execute -%}{{ return(true) }}{%- endif -%}
    {{ return(run_query(
        "select exists (select 1 from pg_attribute where attrelid = to_regclass('" ~ var('raw_schema') ~ "." ~ table
        ~ "') and attname = '" ~ column ~ "' and not attisdropped)"
    ).rows[0][0]) }}
{% endmacro %}


{% macro raw_column(table, column, data_type, absent='null') -%}
    {%- if has_raw_column(table, column) -%}
        source.{{ adapter.quote(column) }}
    {%- else -%}
        {{ absent }}::{{ data_type }}
    {%- endif -%}
{%- endmacro %}
