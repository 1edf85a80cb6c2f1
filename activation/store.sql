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

-- What a reader of the catalog sees; analysts' views of these say the same.
comment on table dashboard.predictions is
'One row per booking that was scored while it was ahead: the risk that it is cancelled or missed. It stays when the booking is over.';
comment on column dashboard.predictions.id is 'A number, for tools that want one.';
comment on column dashboard.predictions.tenant_id is 'The salon.';
comment on column dashboard.predictions.booking_id is 'The booking: visits.booking_id.';
comment on column dashboard.predictions.risk_score is 'Probability, 0 to 1, that it is cancelled or missed.';
comment on column dashboard.predictions.risk_factors is
'What was known: days_since_last_visit (days), cancel_rate (share of earlier bookings cancelled or missed, 0 to 1), lead_time_days (days '
'from booking to visit), is_new_client.';
comment on column dashboard.predictions.predicted_at is 'When that was, UTC, without a zone.';

comment on table dashboard.outbox is
'One row per message for the bot to send, or per client who was left alone on purpose so that the effect can be measured. The bot sends '
'what is pending, between send_after and expires_at, and sets status and sent_at.';
comment on column dashboard.outbox.tenant_id is 'The salon.';
comment on column dashboard.outbox.message_key is 'What the message is about; one is queued once, whatever became of it.';
comment on column dashboard.outbox.kind is 'win_back (come again) or slot_offer (a slot that came free and fits a wish).';
comment on column dashboard.outbox.client_id is 'To whom: clients.client_id.';
comment on column dashboard.outbox.booking_id is 'The booking whose slot is offered; empty for win-backs.';
comment on column dashboard.outbox.wish_id is 'The wish that the slot would meet; empty for win-backs.';
comment on column dashboard.outbox.channel is 'By which channel, as the bot calls it: telegram, whatsapp.';
comment on column dashboard.outbox.message_text is 'The text to send.';
comment on column dashboard.outbox.payload is 'The same as data, for a bot that words it itself.';
comment on column dashboard.outbox.is_held_out is 'Whether the client is left alone on purpose.';
comment on column dashboard.outbox.status is
'pending; sent or failed, set by the bot; held_out, never sent; withdrawn where it was no longer true, expired where its time had passed.';
comment on column dashboard.outbox.created_at is 'When it was queued, UTC.';
comment on column dashboard.outbox.send_after is 'Not to be sent before, UTC: the end of the salon''s quiet hours.';
comment on column dashboard.outbox.expires_at is 'Not to be sent after, UTC.';
comment on column dashboard.outbox.sent_at is 'When the bot sent it, UTC.';

comment on table dashboard.wish_reactions is
'One row per wish of the waiting list that was reacted to: what the last reaction found. A wish that differs is reacted to again.';
comment on column dashboard.wish_reactions.tenant_id is 'The salon.';
comment on column dashboard.wish_reactions.wish_id is 'The wish: waitlist.wish_id.';
comment on column dashboard.wish_reactions.fingerprint is 'A hash of what matters of the wish; of a deleted one as it was last.';
comment on column dashboard.wish_reactions.seen_at is 'When it was first seen, UTC, by the server''s clock.';
comment on column dashboard.wish_reactions.reacted_at is 'When it was last reacted to, UTC.';
comment on column dashboard.wish_reactions.changes_count is 'Reactions after the first; being deleted is a change.';
comment on column dashboard.wish_reactions.matches_count is
'Its rows in waitlist_matches at the last reaction; empty where nothing had been built.';
comment on column dashboard.wish_reactions.offers_count is 'Its rows in slot_offers at the last reaction; empty like that.';
comment on column dashboard.wish_reactions.is_deleted is 'Whether the bot deleted it.';
