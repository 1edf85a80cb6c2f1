-- agentp: outside a transaction
-- Optional. What an incremental build looks up: one client's rows, and the messages of one session.
-- CONCURRENTLY, so that the bots go on writing meanwhile.

create index concurrently if not exists agentp_history_client
on public.recent_history_v2 (user_id, tenant_id);

create index concurrently if not exists agentp_history_session
on public.recent_history_v2 (session_id) where session_id is not null;

create index concurrently if not exists agentp_history_legacy_session
on public.recent_history_v2 (legacy_session_id) where legacy_session_id is not null;

create index concurrently if not exists agentp_sessions_client
on public.conversation_sessions_v2 (user_id, tenant_id);
