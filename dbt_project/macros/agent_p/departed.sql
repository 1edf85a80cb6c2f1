{# Clients whom the bot deleted with all their rows (issue 7): the marts follow by themselves; here goes what rooms keep of
   them that no build makes. Of the clients that this build claimed those whom no raw table knows any more, after a full
   build of all that are kept. Messages stay, so that nobody who comes back gets one twice: their keys do, by a hash in the
   place of the client's id, and nothing else of the client. Whoever is being forgotten on purpose is left to `agentp forget`,
   which keeps the counts. An empty table of clients is a database that is being loaded, and nobody's departure. #}

{% macro agent_p__finish() %}
    {%- set raw = raw_schema_of('agent_p') -%}
    create temporary table departed_clients (tenant_id uuid, client_id uuid, primary key (tenant_id, client_id)) on commit drop;
    do $departed$
    declare
        place record;
    begin
        insert into departed_clients
        select tenant_id, client_id from build.touched_clients where tenant_id <> {{ everything() }};
        if (select runs.is_full from build.runs where runs.invocation_id = '{{ invocation_id }}') then
            for place in {{ kept_of_clients() }} loop
                execute format(
                    'insert into departed_clients select distinct tenant_id, %1$I from %2$s '
                    'where %1$I is not null and tenant_id is not null %3$s on conflict do nothing',
                    place.client_column, place.relation, case when place.is_outbox then 'and message_text <> $$$$' end
                );
            end loop;
        end if;
        if to_regclass('quality.pending_forgettings') is not null then
            delete from departed_clients as departed using quality.pending_forgettings as pending
            where departed.client_id = pending.client_id;
        end if;
        delete from departed_clients as departed
        where
            departed.client_id = {{ nobody() }}
            or not exists (select 1 from {{ raw }}.clients_v2)
            {%- for table, column in [
                ('clients_v2', 'id'), ('conversation_sessions_v2', 'user_id'), ('recent_history_v2', 'user_id'),
                ('wishlist_v2', 'user_id'), ('active_sessions_v2', 'user_id'), ('user_ltm_v2', 'user_id')
            ] %}
            or exists (select 1 from {{ raw }}.{{ table }} as known where known.{{ column }} = departed.client_id)
            {%- endfor %};
        if not exists (select 1 from departed_clients) then
            return;
        end if;
        {# Verdicts on messages that named their sessions hang on what goes. #}
        if to_regclass('change_tracking.unchecked_clients') is not null then
            insert into change_tracking.unchecked_clients (tenant_id, client_id)
            select links.tenant_id, links.client_id
            from quality.client_links as links
            inner join departed_clients as departed on links.linked_client_id = departed.client_id;
            delete from change_tracking.unchecked_clients as unchecked using departed_clients as departed
            where unchecked.client_id = departed.client_id;
        end if;
        if to_regclass('dashboard.outbox') is not null then
            delete from dashboard.outbox as outbox using departed_clients as departed, dashboard.outbox as kept
            where
                outbox.client_id = departed.client_id and kept.tenant_id = outbox.tenant_id
                and kept.message_key = {{ anonymous_key('outbox') }} and kept.message_key <> outbox.message_key;
            update dashboard.outbox as outbox
            set
                message_key = {{ anonymous_key('outbox') }}, client_id = {{ anonymous_client('outbox') }},
                message_text = '', payload = '{}',
                status = case outbox.status when 'pending' then 'withdrawn' else outbox.status end
            from departed_clients as departed
            where outbox.client_id = departed.client_id;
        end if;
        for place in {{ kept_of_clients() }} loop
            continue when place.is_outbox;
            execute format(
                'delete from %s where %I in (select client_id from departed_clients)', place.relation, place.client_column
            );
        end loop;
        update quality.rule_results
        set examples = examples - (select array_agg(client_id::text) from departed_clients)
        where
            jsonb_typeof(examples) = 'array'
            and jsonb_exists_any(examples, (select array_agg(client_id::text) from departed_clients));
        if to_regclass('dashboard.visits') is not null then
            {%- for relation in ['dashboard.predictions', 'scoring.booking_scores'] %}
            delete from {{ relation }} as predicted
            where
                predicted.tenant_id in (select tenant_id from departed_clients)
                and not exists (
                    select 1 from dashboard.visits as visits
                    where visits.tenant_id = predicted.tenant_id and visits.booking_id = predicted.booking_id
                );
            {%- endfor %}
        end if;
    end
    $departed$;
{% endmacro %}


{# Who a message was for once nobody knows them: the same for the same client, so that the key is found again
   (activation/queries/win_backs.sql), and the client by nobody who has no list of ids. #}
{% macro anonymous_client(relation) -%}
    md5({{ relation }}.tenant_id::text || {{ relation }}.client_id::text)::uuid
{%- endmacro %}


{% macro anonymous_key(relation) -%}
    replace({{ relation }}.message_key, {{ relation }}.client_id::text, {{ anonymous_client(relation) }}::text)
{%- endmacro %}


{# Every column with a client's id in what no model builds: what is added later is among it. #}
{% macro kept_of_clients() -%}
    (
        select
            c.oid::regclass as relation,
            a.attname as client_column,
            c.oid = to_regclass('dashboard.outbox') as is_outbox
        from pg_class as c
        inner join pg_attribute as a on c.oid = a.attrelid
        where
            c.relnamespace in (
                select n.oid from pg_namespace as n where n.nspname in ('quality', 'scoring', '{{ target.schema }}')
            )
            and c.relkind in ('r', 'p') and not c.relispartition and a.atttypid = 'uuid'::regtype and not a.attisdropped
            and (a.attname in ('client_id', 'user_id') or a.attname like '%\_client\_id')
            and c.relname <> 'pending_forgettings'
            and c.relname not in (
                select model_runs.model from build.model_runs where model_runs.invocation_id = '{{ invocation_id }}'
            )
            and exists (
                select 1 from pg_attribute as t where t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped
            )
    )
{%- endmacro %}
