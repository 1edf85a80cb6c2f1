-- Seed 01, section 8, step 3: messages point at archived sessions, no longer at temporary ones.
-- The seed's SQL fails where a session_id points at no archived session. Here such a value moves to
-- `legacy_session_id`, is reported, and is used again as soon as that session is archived.

do $$
begin
    if not exists (
        select 1
        from pg_attribute
        where
            attrelid = 'public.recent_history_v2'::regclass
            and attname = 'legacy_session_id'
            and not attisdropped
    ) then
        alter table public.recent_history_v2 add column legacy_session_id uuid;
    end if;

    if not exists (
        select 1
        from pg_constraint
        where
            conrelid = 'public.recent_history_v2'::regclass
            and conname = 'recent_history_v2_session_id_fkey'
            and confrelid = 'public.conversation_sessions_v2'::regclass
    ) then
        alter table public.recent_history_v2
        drop constraint if exists recent_history_v2_session_id_fkey;

        -- First bind new rows, then move the old ones: nothing slips in between.
        alter table public.recent_history_v2
        add constraint recent_history_v2_session_id_fkey
        foreign key (session_id) references public.conversation_sessions_v2 (session_id) not valid;
    end if;
end
$$;

do $$
declare
    moved bigint;
begin
    if exists (
        select 1
        from pg_constraint
        where
            conrelid = 'public.recent_history_v2'::regclass
            and conname = 'recent_history_v2_session_id_fkey'
            and not convalidated
    ) then
        update public.recent_history_v2 as messages
        set legacy_session_id = messages.session_id, session_id = null
        where
            messages.session_id is not null
            and not exists (
                select 1
                from public.conversation_sessions_v2 as sessions
                where sessions.session_id = messages.session_id
            );
        get diagnostics moved = row_count;

        if moved > 0 then
            raise warning
                'recent_history_v2: % messages pointed at no archived session; their value is kept in legacy_session_id',
                moved;
        end if;

        alter table public.recent_history_v2 validate constraint recent_history_v2_session_id_fkey;
    end if;
end
$$;
