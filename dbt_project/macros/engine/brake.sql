{# The brake: a build that would take away more of a mart than `AGENTP_BRAKE_SHARE` of a tenant's rows or people, or of all
   rows, stops in the transaction that would have published it, and the mart is as it was (agentp/brake.py says what is
   looked at before the first mart). What does not count:

     - rows that others take the place of: a tenant that changes its zone moves its hours to other keys and loses none;
     - days and months that are not over at the moment of a build which looks back at an earlier one than the last, which
       reached further: what is compared is what the earlier moment had seen the end of;
     - what was announced in quality.announced_removals (`agentp.brake.announce_removal`), until a build is complete;
     - up to `AGENTP_BRAKE_ROWS` rows, or a fifth as many people, because a small tenant's share is soon reached;
     - marts with `brake: false`, whose rows come and go with less than a row of the bots': days without anything, of a tenant
       that left or was opened later than it said, and summaries of windows that move on.

   People are the entities that the mart has an id of; what a tenant and they are called is declared (`words` of a source).

   `AGENTP_ACCEPT_REMOVALS` lets all of it go, once. #}
{% macro brake(relation, next, written, removed, key) %}
    {%- set floor, share = env_var('AGENTP_BRAKE_ROWS', '100') | int, env_var('AGENTP_BRAKE_SHARE', '0.2') | float -%}
    {%- if config.get('brake', true) and share < 1 and env_var('AGENTP_ACCEPT_REMOVALS', '') != 'true' %}
    do $brake$
    {%- set words = declaration(own_system()).get('words', {}) %}
    {%- set tenant, tenants = words.get('tenant', 'tenant'), words.get('tenants', 'tenants') %}
    declare
        stop text;
    begin
        if (select count(*) from {{ removed }}) <= {{ floor // 5 }} then
            return;
        end if;
        create temporary table announced_removals on commit drop as
        select null::uuid as tenant_id, 0::numeric as row_count, 0::numeric as client_count where false;
        if to_regclass('quality.announced_removals') is not null then
            insert into announced_removals
            select
                tenant_id,
                sum(coalesce(row_count, {{ unlimited() }})),
                sum(coalesce(client_count, {{ unlimited() }}))
            from quality.announced_removals
            where settled_at is null and coalesce(mart, '{{ relation.identifier }}') = '{{ relation.identifier }}'
            group by tenant_id;
        end if;
        select
            'The brake stopped {{ relation.schema }}.{{ relation.identifier }}: of its ' || min(lost.mart_rows)
            || ' rows ' || min(lost.mart_lost) || ' would go, which is more than AGENTP_BRAKE_SHARE ({{ share }}) of what '
            || case min(lost.tenants) when 1 then '1 {{ tenant }} has' else min(lost.tenants) || ' {{ tenants }} have' end || ': '
            || string_agg(
                lost.tenant || ' ' || lost.gone || ' of ' || lost.before || ' ' || lost.measure, '; ' order by lost.place
            ) filter (where lost.place <= 3)
            || case when count(*) > 3 then '; …' else '' end || '.'
        into stop
        from (
            {{ lost_by_tenant(relation, next, written, removed, key, floor, share) }}
        ) as lost;
        if stop is not null then
            raise exception '%', stop;
        end if;
        drop table announced_removals;
    end
    $brake$;
    {%- endif -%}
{% endmacro %}


{# One row per tenant and measure that loses too much, the largest loss first, with the mart's rows, how many of them would go
   and the number of such tenants beside it. Read only where more rows go than the floor, by a block that has what was
   announced of the mart in `announced_removals`. #}
{% macro lost_by_tenant(relation, next, written, removed, key, floor, share) -%}
    {%- set days = [] -%}
    {%- for column in key if column == 'day' or column.endswith('_month') %}{% do days.append(column) %}{% endfor -%}
    {%- set day = days | first | default(none) -%}
    {%- set person = person_column() -%}
    with counted as (
        select
            stored.tenant_id,
            {{ 'stored.' ~ person if person else 'null::uuid' }} as person_id,
            count(*) as rows_before,
            count(gone.tenant_id) as rows_gone
        from {{ relation }} as stored
        left join {{ removed }} as gone on {{ equal_keys(key, 'stored', 'gone') }}
        {%- if day %}
        where not {{ has_as_of_moved_back() }} or stored.{{ day }} < {{ as_of_start(day) }}
        {%- endif %}
        group by 1, 2
    ),
    by_person as (
        select
            counted.tenant_id,
            sum(counted.rows_before)::bigint as rows_before,
            sum(counted.rows_gone)::bigint as rows_gone,
            count(counted.person_id) as people_before,
            {%- if person %}
            count(counted.person_id) filter (
                where
                    counted.rows_gone = counted.rows_before
                    and not exists (
                        select 1 from {{ next }} as kept
                        where kept.tenant_id = counted.tenant_id and kept.{{ person }} = counted.person_id
                    )
            ) as people_gone
            {%- else %}
            0 as people_gone
            {%- endif %}
        from counted
        group by counted.tenant_id
    ),
    come as (
        select tenant_id, count(*) as rows_come from {{ written }} where not is_update group by tenant_id
    ),
    by_tenant as (
        select
            by_person.tenant_id,
            by_person.rows_before,
            greatest(
                by_person.rows_gone - coalesce(come.rows_come, 0) - coalesce(announced_removals.row_count, 0), 0
            ) as rows_lost,
            by_person.people_before,
            greatest(by_person.people_gone - coalesce(announced_removals.client_count, 0), 0) as people_gone
        from by_person
        left join come on by_person.tenant_id = come.tenant_id
        left join announced_removals on by_person.tenant_id = announced_removals.tenant_id
    ),
    totals as (
        select sum(rows_before)::bigint as rows_before, sum(rows_lost)::bigint as rows_lost from by_tenant
    ),
    measured as (
        select tenant_id, 'rows' as measure, rows_before as before, rows_lost as lost, {{ floor }} as free from by_tenant
        union all
        select tenant_id, '{{ declaration(own_system()).get('words', {}).get('people', 'people') }}', people_before, people_gone, {{ floor // 5 }} from by_tenant
        union all
        select null, 'rows', rows_before, rows_lost, {{ floor }} from totals
    ),
    excessive as (
        select * from measured where lost > free and lost > {{ share }} * before
    )
    select
        coalesce(left(tenants.name, 60), excessive.tenant_id::text, 'of all') as tenant,
        excessive.measure,
        {{ grouped('excessive.before') }} as before,
        {{ grouped('excessive.lost') }} as gone,
        {{ grouped('totals.rows_before') }} as mart_rows,
        {{ grouped('totals.rows_lost') }} as mart_lost,
        greatest((select count(distinct tenant_id) from excessive), 1) as tenants,
        row_number() over (order by excessive.tenant_id is null, excessive.lost desc, excessive.tenant_id) as place
    from excessive
    cross join totals
    left join ({{ declared_tenants(own_system()) }}) as tenants on excessive.tenant_id = tenants.tenant_id
{%- endmacro %}


{# The column by which a mart's people are counted: that of its scope, or the first that is named after an entity. #}
{% macro person_column() %}
    {%- set scope = config.get('scope') or {} -%}
    {%- set entities = declaration(own_system()).get('entities', {}) -%}
    {%- if scope.entity in entities %}{{ return(scope.columns[1]) }}{% endif -%}
    {%- for entity in entities if entity ~ '_id' in model.columns %}{{ return(entity ~ '_id') }}{% endfor -%}
    {{ return(none) }}
{% endmacro %}


{# More than any mart has of anything. #}
{% macro unlimited() -%}
    1000000000000000
{%- endmacro %}


{# The first day or month that is not over everywhere at the moment that a build is for. #}
{% macro as_of_start(column) -%}
    {%- set day = as_of_day("'UTC'") ~ ' - 1' -%}
    {{ day if column == 'day' else "date_trunc('month', (" ~ day ~ ")::timestamp)::date" }}
{%- endmacro %}


{% macro grouped(number) -%}
    to_char({{ number }}, 'FM999,999,999,999,990')
{%- endmacro %}
