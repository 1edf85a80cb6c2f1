{# What builds of Agent P claim beyond the clients whose rows changed (macros/engine/changes.sql), in the order in which one claim
   needs the other. #}

{% macro agent_p__claim_more() %}
    {{ claim_days_shown() }}
    {{ close_over_sessions() }}
    analyze build.touched_clients;
    {{ claim_visitors() }}
    analyze build.touched_visitors;
    {{ plan_batches() }}
{% endmacro %}


{# Clients whose rows the gate set aside or took back: nothing else need have changed about them. #}
{% macro agent_p__claim_from_gate() %}
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


{# A message may name a session of another client of the same tenant. Then both clients' dialogues hang together:
   whose message changed takes along the owners of the sessions it was and is in, and whose session changed takes
   along the authors of the messages that named and name it. #}
{% macro close_over_sessions() %}
    {%- set raw = raw_schema_of('agent_p') -%}
    {%- set dialogs = mart_if_built('dialogs') -%}
    {%- set session_columns = ['session_id', 'legacy_session_id'] if has_raw_column('recent_history_v2', 'legacy_session_id', 'agent_p') else ['session_id'] -%}
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


{# The parts, where the build is expected to read more messages than one holds: a full one, or one of many clients. #}
{% macro plan_batches() %}
    {%- set raw = raw_schema_of('agent_p') -%}
    {%- set rows_each = [1, env_var('AGENTP_BATCH_MESSAGES', '200000') | int] | max -%}
    delete from build.batches;
    insert into build.batches (up_to)
    select up_to
    from quality.split_clients(to_regclass('{{ raw }}.recent_history_v2'), {{ rows_each }}) as up_to
    where (
        select
            runs.is_full
            or (select count(*) from build.touched_clients) * messages.reltuples > {{ rows_each }} * greatest(clients.reltuples, 1)
        from build.runs
        cross join pg_class as messages
        cross join pg_class as clients
        where
            runs.invocation_id = '{{ invocation_id }}'
            and messages.oid = to_regclass('{{ raw }}.recent_history_v2')
            and clients.oid = to_regclass('{{ raw }}.clients_v2')
    );
{% endmacro %}
