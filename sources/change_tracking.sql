{#- Queues and triggers of one system, generated from its declaration (sources/change_tracking.py). -#}
{%- macro noted(table, entity) -%}
    {{ table.tenant }} as tenant_id, {{ table.touches[entity] if table.touches else 'null' }} as entity_id
{%- endmacro -%}
{%- macro watched(table) -%}
    jsonb_build_array({{ table.watches | join(', ') }}) as watched
{%- endmacro %}
do $$
begin
    if to_regnamespace('change_tracking') is null then create schema change_tracking; end if;
end
$$;

-- The functions write the queues with their owner's rights, whoever the bots are. So nobody's code may run in them:
-- nobody else may make triggers of them, and of another table, or of columns whose type is another than the declared
-- one and may have operators and casts that are anybody's functions, nothing is read: then everything counts as changed.
create or replace function change_tracking.stands_as_declared(relation oid, names text [], types text []) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select bool_and(coalesce(pg_attribute.atttypid = to_regtype(wanted.type), false))
    from unnest(names, types) as wanted (name, type)
    left join pg_attribute
        on
            stands_as_declared.relation = pg_attribute.attrelid
            and wanted.name = pg_attribute.attname
            and not pg_attribute.attisdropped
$$;
{%- for entity, queue in queues.items() %}

do $$
begin
    -- NULL for the entity: all of the tenant's. NULL for the tenant: everything.
    if to_regclass('{{ queue }}') is null then
        create table {{ queue }} (
            change_id bigint generated always as identity primary key,
            tenant_id uuid,
            {{ entity }}_id {{ types[entity] }},
            changed_at timestamptz not null default clock_timestamp()
        );
    end if;
end
$$;
{%- endfor %}
{%- for table in tables %}

create or replace function change_tracking.{{ functions[table.name] | identifier }}() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $note$
begin
    if
        tg_op = 'TRUNCATE'
        or tg_relid is distinct from to_regclass({{ places[table.name] | literal }})
        or not change_tracking.stands_as_declared(
            tg_relid, {{ read[table.name].keys() | list | literal }}::text [], {{ read[table.name].values() | list | literal }}::text []
        )
    then
        {%- for entity in table.touches or queues %}
        insert into {{ queues[entity] }} (tenant_id) values (null);
        {%- endfor %}
    {%- for event, rows in (('INSERT', 'new_rows'), ('DELETE', 'old_rows')) %}
    elsif tg_op = '{{ event }}' then
        {%- for entity in table.touches or queues %}
        insert into {{ queues[entity] }} (tenant_id, {{ entity }}_id)
        select distinct {{ noted(table, entity) }}
        from {{ rows }}
        {%- if table.watches %}
        where ({{ table.watches | join(') is not null or (') }}) is not null
        {%- endif %};
        {%- endfor %}
    {%- endfor %}
    else
        {%- for entity in table.touches or queues %}
        insert into {{ queues[entity] }} (tenant_id, {{ entity }}_id)
        select distinct changed.tenant_id, changed.entity_id
        from (
            {%- if table.watches %}
            (
                select {{ noted(table, entity) }}, {{ watched(table) }} from new_rows
                except all
                select {{ noted(table, entity) }}, {{ watched(table) }} from old_rows
            )
            union all
            (
                select {{ noted(table, entity) }}, {{ watched(table) }} from old_rows
                except all
                select {{ noted(table, entity) }}, {{ watched(table) }} from new_rows
            )
            {%- else %}
            select {{ noted(table, entity) }} from new_rows
            union all
            select {{ noted(table, entity) }} from old_rows
            {%- endif %}
        ) as changed;
        {%- endfor %}
    end if;
    return null;
end
$note$;

do $$
begin
    if not exists (
        select 1
        from pg_trigger
        where
            tgrelid = {{ places[table.name] | literal }}::regclass
            and tgname = 'agentp_note_truncate'
            and tgfoid = to_regproc('change_tracking.{{ functions[table.name] | identifier }}')
    ) then
        {%- for event, transition in events.items() %}
        drop trigger if exists agentp_note_{{ event }} on {{ places[table.name] }};
        create trigger agentp_note_{{ event }} after {{ event }} on {{ places[table.name] }} {{ transition }}
        for each statement execute function change_tracking.{{ functions[table.name] | identifier }}();
        {%- endfor %}
        -- Changes before the triggers were there are unknown: the next build takes everything.
        {%- for entity in table.touches or queues %}
        insert into {{ queues[entity] }} (tenant_id) values (null);
        {%- endfor %}
    end if;
end
$$;
{%- endfor %}

-- Whatever let others make triggers of them, default privileges of the server included.
do $$
declare
    given record;
begin
    for given in
        select
            pg_proc.oid::regprocedure as signature,
            case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as grantee
        from pg_proc
        cross join lateral aclexplode(coalesce(pg_proc.proacl, acldefault('f', pg_proc.proowner))) as acl
        where pg_proc.pronamespace = 'change_tracking'::regnamespace and acl.grantee <> pg_proc.proowner
    loop
        execute format('revoke execute on function %s from %s', given.signature, given.grantee);
    end loop;
end
$$;
