-- What the gate keeps (REQUIREMENTS B5, B6). Looks before it makes: any number of times, on a live database.

-- Not `if not exists`, for which Postgres asks for the right to make schemas even where there is nothing to make.
do $$
begin
    if to_regnamespace('quality') is null then create schema quality; end if;
end
$$;

-- One row per run of the gate.
create table if not exists quality.runs (
    run_id bigint generated always as identity primary key,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    -- What counted as the present: later times are "in the future".
    present timestamptz not null,
    -- Whether every row was looked at, or those of clients with changes.
    is_full boolean not null,
    -- A hash of the rules, and absent columns. Others than those of the last run make the next run a full one.
    standard text not null,
    -- running, passed, warned, failed (something critical), stopped (a shape that nothing can be built with).
    outcome text not null default 'running',
    rows_looked_at bigint not null default 0
);

-- One row per rule of the standard, as the last run knew it.
create table if not exists quality.rules (
    rule_id text primary key,
    table_name text not null,
    section text not null,
    severity text not null,
    action text not null,
    problem text,
    meaning_en text not null,
    meaning_ru text not null
);

-- One row per tenant, rule and run: how things stood after the run, whatever it had to look at anew.
-- Rules about a table's shape are nobody's in particular: their tenant is the zero id.
create table if not exists quality.rule_results (
    tenant_id uuid not null,
    rule_id text not null,
    run_id bigint not null references quality.runs (run_id) on delete cascade,
    rows_seen bigint not null,
    rows_failed bigint not null,
    -- A JSON list of keys, the smallest first.
    examples jsonb not null default '[]',
    primary key (tenant_id, rule_id, run_id)
);
create index if not exists rule_results_run on quality.rule_results (run_id);
create index if not exists rule_results_rule on quality.rule_results (rule_id, tenant_id);

-- One row per raw row that is kept out of the marts until it is repaired.
create table if not exists quality.rows_set_aside (
    tenant_id uuid not null,
    table_name text not null,
    row_key text not null,
    client_id uuid not null,
    rule_ids jsonb not null,
    since_run_id bigint not null,
    primary key (tenant_id, table_name, row_key)
);
create index if not exists rows_set_aside_client on quality.rows_set_aside (tenant_id, client_id);

-- How things stand, a tenant and client: what a run replaces for the clients it looks at.
create table if not exists quality.client_rows (
    tenant_id uuid not null,
    client_id uuid not null,
    table_name text not null,
    rows_seen bigint not null,
    primary key (tenant_id, client_id, table_name)
);
create index if not exists client_rows_client on quality.client_rows (client_id);
create table if not exists quality.client_failures (
    tenant_id uuid not null,
    client_id uuid not null,
    rule_id text not null,
    rows_failed bigint not null,
    first_key text,
    last_key text,
    primary key (tenant_id, client_id, rule_id)
);
create index if not exists client_failures_rule on quality.client_failures (rule_id);

-- Whose messages name whose sessions: a change at one concerns the verdict on the other.
create table if not exists quality.client_links (
    tenant_id uuid not null,
    client_id uuid not null,
    linked_tenant_id uuid not null,
    linked_client_id uuid not null,
    primary key (tenant_id, client_id, linked_tenant_id, linked_client_id)
);
create index if not exists client_links_back on quality.client_links (linked_tenant_id, linked_client_id);

-- Queues: clients to look at (kept until a run has finished with them), and clients whose rows
-- were set aside or came back, which the next build takes along.
create table if not exists quality.claimed_clients (
    tenant_id uuid not null,
    client_id uuid not null,
    primary key (tenant_id, client_id)
);
create table if not exists quality.reconsidered_clients (
    tenant_id uuid not null,
    client_id uuid not null,
    primary key (tenant_id, client_id)
);
-- The same of systems that tell no check what changed: all that is the tenant's.
create table if not exists quality.reconsidered_tenants (
    source_system text not null,
    tenant_id uuid not null,
    primary key (source_system, tenant_id)
);

-- One row per tenant, measure and day that was judged: what was counted, and what would have been usual.
create table if not exists quality.volumes (
    tenant_id uuid not null,
    day date not null,
    measure text not null,
    observed double precision not null,
    expected double precision not null,
    lower_bound double precision not null,
    upper_bound double precision not null,
    is_unusual boolean not null,
    run_id bigint not null,
    primary key (tenant_id, day, measure)
);

-- One row per repair, and one per message it changed: what `agentp repair --undo` takes back.
create table if not exists quality.repairs (
    repair_id bigint generated always as identity primary key,
    kind text not null,
    applied_at timestamptz not null default clock_timestamp()
);
create table if not exists quality.session_repairs (
    tenant_id uuid not null,
    repair_id bigint not null references quality.repairs (repair_id),
    message_id bigint not null,
    old_session_id uuid,
    new_session_id uuid not null,
    repaired_at timestamptz not null default clock_timestamp(),
    undone_at timestamptz,
    primary key (tenant_id, repair_id, message_id)
);
create index if not exists session_repairs_repair on quality.session_repairs (repair_id);

-- One row per person forgotten (issue 7): rows that named them before and after, by relation; nothing of who it was.
create table if not exists quality.forgettings (
    receipt_id bigint generated always as identity primary key,
    tenant_id uuid not null,
    forgotten_at timestamptz not null default clock_timestamp(),
    counts jsonb not null
);

-- Who is being forgotten at this moment, or was when it was interrupted: by what they are found, until nothing is.
create table if not exists quality.pending_forgettings (
    tenant_id uuid not null,
    client_id uuid not null,
    nobody_id uuid not null,
    is_alone boolean not null,
    terms jsonb not null,
    counts jsonb not null,
    begun_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, client_id)
);

-- One row per removal that was announced: what the brake of a build leaves out of what it counts (docs/decisions.md, "The brake"),
-- until a build that began after it is complete. Without a mart it is of every one; without a number, of all that the tenant has.
create table if not exists quality.announced_removals (
    removal_id bigint generated always as identity primary key,
    tenant_id uuid not null,
    reason text not null check (reason in ('forget', 'purge', 'move', 'repair')),
    mart text,
    row_count bigint check (row_count >= 0),
    client_count bigint check (client_count >= 0),
    announced_at timestamptz not null default clock_timestamp(),
    settled_at timestamptz
);
create index if not exists announced_removals_open on quality.announced_removals (tenant_id) where settled_at is null;

-- What the passes of one run found, before all of it becomes how things stand in one transaction.
create unlogged table if not exists quality.scratch_rows (like quality.client_rows);
create unlogged table if not exists quality.scratch_failures (like quality.client_failures);
create unlogged table if not exists quality.scratch_links (like quality.client_links);
create unlogged table if not exists quality.scratch_set_aside (
    tenant_id uuid not null,
    table_name text not null,
    row_key text not null,
    client_id uuid not null,
    rule_ids jsonb not null
);

-- The clients that end parts of about so many rows each of a raw table of the bots (issue 7): checks and builds read one part,
-- and are done with it before they ask for the next. By the index alone; none where one part holds all, or without the index.
create or replace function quality.split_clients(relation regclass, rows_each bigint) returns setof uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    up_to uuid := '00000000-0000-0000-0000-000000000000';
begin
    if not exists (
        select 1
        from pg_index
        inner join pg_attribute on indrelid = attrelid and indkey[0] = attnum
        where
            indrelid = relation and indisvalid and indpred is null
            and attname = 'user_id' and atttypid = 'uuid'::regtype
    ) then
        return;
    end if;
    loop
        execute format('select user_id from %s where user_id > $1 order by user_id offset $2 limit 1', relation)
        into up_to using up_to, rows_each - 1;
        exit when up_to is null;
        return next up_to;
    end loop;
end
$$;

create or replace view quality.latest_results with (security_invoker = true) as
select
    rule_results.tenant_id,
    rule_results.rule_id,
    rules.table_name,
    rules.severity,
    rules.action,
    rules.problem,
    rule_results.rows_seen,
    rule_results.rows_failed,
    rule_results.examples,
    rule_results.run_id
from quality.rule_results
inner join quality.rules on rule_results.rule_id = rules.rule_id
where rule_results.run_id = (select max(runs.run_id) from quality.runs where runs.outcome <> 'running');
