-- The raw tables as the bots have them today (REQUIREMENTS A1, A2; seed 01, sections 1 to 5).
-- On a database that has them already, in whatever shape, nothing changes.

-- Which of them are made here, so that what the bots made stays as open as they made it.
select set_config('agentp.tables_before', coalesce((
    select string_agg(relname, ',') from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'f', 'm')
), ''), true);

create table if not exists public.tenants_v2 (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    slug text,
    is_active boolean not null default true,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table if not exists public.clients_v2 (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null references public.tenants_v2 (id),
    telegram_chat_id bigint,
    whatsapp_id text,
    phone text,
    yclients_client_id bigint,
    full_name text,
    meta jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- The temporary sessions that old messages point at; the seed names the table, not its columns.
create table if not exists public.active_sessions_v2 (
    session_id uuid primary key,
    tenant_id uuid not null references public.tenants_v2 (id),
    user_id uuid not null references public.clients_v2 (id),
    channel text not null,
    started_at timestamptz not null default now(),
    last_activity_at timestamptz not null default now(),
    state jsonb not null default '{}'
);

create table if not exists public.conversation_sessions_v2 (
    id bigserial primary key,
    session_id uuid not null unique,
    tenant_id uuid not null references public.tenants_v2 (id),
    user_id uuid not null references public.clients_v2 (id),
    channel text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    duration_sec integer,
    final_status text not null,
    final_intent text,
    final_summary text,
    booking_id text,
    booking_source text,
    booking_status text,
    booking_datetime timestamptz,
    booking_amount numeric,
    booking_currency text,
    messages_count integer,
    agent_messages_count integer,
    user_messages_count integer,
    meta jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create table if not exists public.recent_history_v2 (
    id bigserial primary key,
    tenant_id uuid not null references public.tenants_v2 (id),
    user_id uuid not null references public.clients_v2 (id),
    session_id uuid constraint recent_history_v2_session_id_fkey references public.active_sessions_v2 (session_id),
    role text not null,
    channel text not null default 'unknown',
    message text not null,
    meta jsonb not null default '{}',
    created_at timestamptz not null default now()
);

create table if not exists public.wishlist_v2 (
    id bigserial primary key,
    tenant_id uuid not null references public.tenants_v2 (id),
    user_id uuid not null references public.clients_v2 (id),
    item_type text not null,
    item_id text not null,
    source text,
    comment text,
    meta jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table if not exists public.user_ltm_v2 (
    user_id uuid primary key references public.clients_v2 (id),
    tenant_id uuid not null references public.tenants_v2 (id),
    preferred_staff_id text,
    ltm_data jsonb not null default '{}'
);

-- On Supabase whatever is made in `public` is read and written by everybody who has the project's public key, unless row
-- security is on. Bots write with the secret key, which is above it, or as the owner.
do $$
declare
    made text;
    counter regclass;
begin
    if to_regrole('anon') is null or to_regrole('authenticated') is null then
        return;
    end if;
    foreach made in array array[
        'tenants_v2', 'clients_v2', 'active_sessions_v2', 'conversation_sessions_v2', 'recent_history_v2', 'wishlist_v2',
        'user_ltm_v2'
    ] loop
        if not made = any (string_to_array(current_setting('agentp.tables_before'), ',')) then
            execute format('alter table public.%I enable row level security', made);
            execute format('revoke all on public.%I from public, anon, authenticated', made);
            for counter in
                select pg_class.oid::regclass from pg_depend inner join pg_class on pg_depend.objid = pg_class.oid
                where pg_depend.refobjid = ('public.' || made)::regclass and pg_class.relkind = 'S'
            loop
                execute format('revoke all on sequence %s from public, anon, authenticated', counter);
            end loop;
        end if;
    end loop;
end
$$;
