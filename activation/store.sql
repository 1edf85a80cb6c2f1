-- What scoring and activation keep (REQUIREMENTS C11, C13). Looks before it makes: any number of times, on a live database.

-- Not `if not exists`, for which Postgres asks for the right to make schemas even where there is nothing to make.
do $$
begin
    if to_regnamespace('dashboard') is null then create schema dashboard; end if;
    if to_regnamespace('scoring') is null then create schema scoring; end if;
end
$$;

-- Exactly the table of seed 02, feature 1. `predicted_at` has no zone there; what is written is UTC.
create table if not exists dashboard.predictions (
    id bigserial primary key,
    tenant_id uuid not null,
    booking_id text not null,
    risk_score numeric not null,
    risk_factors jsonb,
    predicted_at timestamp default now(),
    unique (tenant_id, booking_id)
);

-- One row per run of `agentp score` and kind of model: what was fitted on what, how good it was, whether it is in place.
create table if not exists scoring.model_runs (
    run_id bigint generated always as identity primary key,
    kind text not null,
    as_of timestamptz not null,
    started_at timestamptz not null default clock_timestamp(),
    -- The model in place after the run: the one to predict with until the next.
    model jsonb not null,
    trained_from timestamptz,
    trained_until timestamptz,
    training_rows bigint not null,
    is_replaced boolean not null,
    reason text not null,
    -- Measured on the latest time that the model had not seen.
    quality jsonb,
    incumbent_quality jsonb,
    rows_scored bigint not null
);
create index if not exists model_runs_latest on scoring.model_runs (kind, run_id);

-- One row per client with a visit: the probability that the client stays away for a cycle.
create table if not exists scoring.client_scores (
    tenant_id uuid not null,
    client_id uuid not null,
    churn_probability double precision not null,
    cycle_days double precision not null,
    horizon_days double precision not null,
    run_id bigint not null,
    scored_at timestamptz not null,
    primary key (tenant_id, client_id)
);

-- Beside `predictions`: which factor raises the risk of a booking most.
create table if not exists scoring.booking_scores (
    tenant_id uuid not null,
    booking_id text not null,
    main_factor text not null,
    run_id bigint not null,
    primary key (tenant_id, booking_id)
);

-- One row per message for the bot, or per candidate who was left alone on purpose. The key names what the message is
-- about, so that the same message is never queued twice.
create table if not exists dashboard.outbox (
    tenant_id uuid not null,
    message_key text not null,
    kind text not null check (kind in ('win_back', 'slot_offer')),
    client_id uuid not null,
    booking_id text,
    wish_id bigint,
    channel text not null,
    message_text text not null,
    payload jsonb not null default '{}',
    is_held_out boolean not null,
    -- pending; sent or failed, set by the bot; held_out, which it never sends; withdrawn where it was no longer true and
    -- expired where its time had passed before the bot sent it.
    status text not null
    constraint outbox_status_check check (status in ('pending', 'sent', 'failed', 'held_out', 'withdrawn', 'expired')),
    created_at timestamptz not null,
    send_after timestamptz not null,
    expires_at timestamptz not null,
    sent_at timestamptz,
    primary key (tenant_id, message_key)
);
create index if not exists outbox_client on dashboard.outbox (tenant_id, client_id);
create index if not exists outbox_booking on dashboard.outbox (tenant_id, booking_id) where booking_id is not null;
create index if not exists outbox_due on dashboard.outbox (tenant_id, send_after) where status = 'pending';

-- One row per wish that was reacted to, as it stood then: what differs from it is a new or changed wish (issue 5).
create table if not exists dashboard.wish_reactions (
    tenant_id uuid not null,
    wish_id bigint not null,
    -- Of what matters of the wish (systems/agent_p/wishes.py); of a deleted one as it was last.
    fingerprint text not null,
    -- When it was first seen, and when it was last reacted to, by the server's clock.
    seen_at timestamptz not null default clock_timestamp(),
    reacted_at timestamptz not null,
    -- Reactions after the first; being deleted is a change.
    changes_count bigint not null default 0,
    -- Its rows in waitlist_matches and slot_offers at the last reaction; empty where nothing had been built.
    matches_count bigint,
    offers_count bigint,
    is_deleted boolean not null default false,
    primary key (tenant_id, wish_id)
);

-- Outboxes made before messages could be withdrawn.
do $$
begin
    if not exists (
        select 1
        from pg_constraint
        where
            conrelid = 'dashboard.outbox'::regclass
            and conname = 'outbox_status_check'
            and pg_get_constraintdef(oid) like '%withdrawn%'
    ) then
        alter table dashboard.outbox drop constraint if exists outbox_status_check;
        alter table dashboard.outbox add constraint outbox_status_check
        check (status in ('pending', 'sent', 'failed', 'held_out', 'withdrawn', 'expired'));
    end if;
end
$$;
