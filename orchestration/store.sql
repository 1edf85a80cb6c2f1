-- What runs leave behind for BI (issue 5): runs, their steps, the checks' results, and problems that somebody was told of.
-- Looks before it makes: any number of times, on a live database.

-- Not `if not exists`, for which Postgres asks for the right to make schemas even where there is nothing to make.
do $$
begin
    if to_regnamespace('quality') is null then create schema quality; end if;
end
$$;

-- One row per backfill by command: what its chunks belong to, so that it can be taken up where it stopped.
create table if not exists quality.backfills (
    backfill_id bigint generated always as identity primary key,
    first_day date not null,
    last_day date not null,
    chunk_days integer not null,
    requested_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);

-- One row per run of a job, by the scheduler, a sensor, a person or the command line.
create table if not exists quality.job_runs (
    run_id text primary key,
    -- daily, hourly, wishes, backfill; `assets` where somebody chose assets by hand.
    job text not null,
    -- schedule, sensor, backfill, command or hand.
    started_by text not null,
    as_of text not null,
    -- The days that the run was asked to build anew, if any.
    first_day date,
    last_day date,
    backfill_id bigint references quality.backfills (backfill_id),
    started_at timestamptz not null,
    finished_at timestamptz,
    -- running, succeeded, failed, died (its process went without a word; the next run found out).
    outcome text not null default 'running',
    error text
);
create index if not exists job_runs_latest on quality.job_runs (job, started_at);

-- One row per step of a run and attempt at it.
create table if not exists quality.job_steps (
    run_id text not null references quality.job_runs (run_id) on delete cascade,
    step text not null,
    attempt integer not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    -- running, succeeded, failed, retried (a fault that passes; another attempt follows), died.
    outcome text not null default 'running',
    error text,
    primary key (run_id, step, attempt)
);

-- One row per check and run: the rules of the data standard (asset: the raw table) and dbt's tests (asset: the model).
create table if not exists quality.check_results (
    run_id text not null references quality.job_runs (run_id) on delete cascade,
    asset text not null,
    check_name text not null,
    -- critical or warning.
    severity text not null,
    -- Whether its failure keeps what is downstream from being built.
    is_blocking boolean not null,
    has_passed boolean not null,
    rows_failed bigint,
    checked_at timestamptz not null,
    primary key (run_id, asset, check_name)
);
create index if not exists check_results_latest on quality.check_results (asset, check_name, checked_at);

-- One row per problem from its first sight to its end: what people are told of, once, and again when it is over.
create table if not exists quality.problems (
    problem_id bigint generated always as identity primary key,
    -- What the problem is about, the same as long as it lasts, such as `check/agent_p.wishlist_v2/wishes.status_known`.
    problem_key text not null,
    -- run, check, freshness, silence or digest.
    kind text not null,
    title text not null,
    detail text not null,
    opened_at timestamptz not null,
    told_at timestamptz,
    closed_at timestamptz,
    end_told_at timestamptz
);
create unique index if not exists problems_open on quality.problems (problem_key) where closed_at is null;

-- One row per salon, kind of digest and the last day that it is about: each is sent once, ever (issue 6).
create table if not exists quality.digests (
    tenant_id uuid not null,
    -- daily or weekly.
    kind text not null,
    day date not null,
    taken_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    -- taken (about to be sent), sent, failed (tried again), missed (too old to be sent when its turn came).
    outcome text not null default 'taken',
    error text,
    primary key (tenant_id, kind, day)
);

-- The last result of every check, found by looking up one check after the other: there are a few hundred, and years of results.
create or replace view quality.latest_checks with (security_invoker = true) as
with recursive checks as (
    (
        select asset, check_name
        from quality.check_results
        order by asset, check_name
        limit 1
    )
    union all
    select following.asset, following.check_name
    from checks
    cross join lateral (
        select results.asset, results.check_name
        from quality.check_results as results
        where (results.asset, results.check_name) > (checks.asset, checks.check_name)
        order by results.asset, results.check_name
        limit 1
    ) as following
)

select
    latest.asset,
    latest.check_name,
    latest.severity,
    latest.is_blocking,
    latest.has_passed,
    latest.rows_failed,
    latest.checked_at,
    latest.run_id
from checks
cross join lateral (
    select results.*
    from quality.check_results as results
    where (results.asset, results.check_name) = (checks.asset, checks.check_name)
    order by results.checked_at desc, results.run_id desc
    limit 1
) as latest;

create or replace view quality.run_history with (security_invoker = true) as
select
    run_id,
    job,
    started_by,
    as_of,
    first_day,
    last_day,
    backfill_id,
    started_at,
    finished_at,
    round(extract(epoch from finished_at - started_at), 1) as duration_seconds,
    outcome,
    error,
    (select count(*) from quality.job_steps as steps where steps.run_id = runs.run_id) as attempts,
    (select count(*) from quality.check_results as checks where checks.run_id = runs.run_id) as checks,
    (
        select count(*)
        from quality.check_results as checks
        where checks.run_id = runs.run_id and not checks.has_passed and checks.severity = 'critical'
    ) as critical_failures,
    (
        select count(*)
        from quality.check_results as checks
        where checks.run_id = runs.run_id and not checks.has_passed and checks.severity = 'warning'
    ) as warnings
from quality.job_runs as runs;
