-- Fails with one row per salon and person whose clients, bookings or numbered visits are not those of `persons`, or are more, or
-- have more phones or first names, than one person may have.
{{ config(meta={'dagster': {'ref': {'name': 'persons'}}}) }}

with

persons as (

    select * from {{ ref('persons') }}

),

clients as (

    select * from {{ ref('clients') }}

),

visits as (

    select * from {{ ref('visits') }}

),

summed as (

    select
        tenant_id,
        person_id,
        count(*) as clients_count,
        count(*) filter (where client_id = person_id) as oldest_count,
        sum(bookings_count) as bookings_count,
        sum(visits_count) as visits_count,
        sum(upcoming_count) as upcoming_count,
        max(last_visit_at) as last_visit_at,
        count(distinct phone_key) as phones_count,
        count(distinct {{ first_name('client_name') }}) as names_count
    from clients
    group by tenant_id, person_id

),

numbered as (

    select
        tenant_id,
        person_id,
        count(distinct visit_number) as numbers_count,
        max(visit_number) as last_number
    from visits
    group by tenant_id, person_id

)

select
    coalesce(summed.tenant_id, persons.tenant_id) as tenant_id,
    coalesce(summed.person_id, persons.person_id) as person_id,
    summed.clients_count as clients_summed,
    persons.clients_count,
    persons.visits_count,
    numbered.last_number
from summed
full join persons
    on
        summed.tenant_id = persons.tenant_id
        and summed.person_id = persons.person_id
left join numbered
    on
        persons.tenant_id = numbered.tenant_id
        and persons.person_id = numbered.person_id
where
    (summed.clients_count, summed.bookings_count, summed.visits_count, summed.upcoming_count, summed.last_visit_at)
    is distinct from (
        persons.clients_count, persons.bookings_count, persons.visits_count, persons.upcoming_count, persons.last_visit_at
    )
    or summed.oldest_count <> 1
    or persons.visits_count <> coalesce(numbered.last_number, 0)
    or persons.visits_count <> coalesce(numbered.numbers_count, 0)
    or (summed.clients_count > 1 and (summed.phones_count <> 1 or summed.names_count > 1))
