with

tenants as (

    select * from {{ ref('stg_agent_p__tenants') }}

),

rules as (

    select * from {{ ref('stg_quality__rules') }}

),

rule_results as (

    select * from {{ ref('stg_quality__rule_results') }}

),

runs as (

    select * from {{ ref('stg_quality__runs') }}

),

-- The standard's first table lists five problems; each is counted by one rule.
counted as (

    select
        rule_results.tenant_id,
        {{ local_day('runs.present_at', tenant_timezone()) }} as day,
        rules.problem,
        rule_results.rule_id,
        rule_results.run_id,
        rule_results.rows_seen,
        rule_results.rows_failed,
        rule_results.examples
    from rule_results
    inner join rules
        on rule_results.rule_id = rules.rule_id
    inner join runs
        on rule_results.run_id = runs.run_id
    left join tenants
        on rule_results.tenant_id = tenants.tenant_id
    where
        rules.problem is not null
        and runs.outcome in ('passed', 'warned', 'failed')

),

-- What the day's last run found is how the day ended.
ranked as (

    select
        *,
        row_number() over (partition by tenant_id, day, problem order by run_id desc) as place
    from counted

)

select
    tenant_id,
    day,
    problem,
    rule_id,
    rows_seen,
    rows_failed,
    round(rows_failed::numeric / nullif(rows_seen, 0), 4) as failed_share,
    examples
from ranked
where place = 1
