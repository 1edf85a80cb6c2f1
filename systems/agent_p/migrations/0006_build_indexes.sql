-- agentp: outside a transaction
-- Optional. What an incremental build or check looks up: one client's rows, the messages of one session, clients that
-- share a chat, and what was written lately.
-- CONCURRENTLY, so that the bots go on writing meanwhile.

create index concurrently if not exists agentp_history_client
on public.recent_history_v2 (user_id, tenant_id);

create index concurrently if not exists agentp_history_session
on public.recent_history_v2 (session_id) where session_id is not null;

create index concurrently if not exists agentp_history_legacy_session
on public.recent_history_v2 (legacy_session_id) where legacy_session_id is not null;

create index concurrently if not exists agentp_sessions_client
on public.conversation_sessions_v2 (user_id, tenant_id);

create index concurrently if not exists agentp_wishes_client
on public.wishlist_v2 (user_id, tenant_id);

create index concurrently if not exists agentp_clients_telegram
on public.clients_v2 (telegram_chat_id, tenant_id) where telegram_chat_id is not null;

-- By its hash: a text of any length has one, and a b-tree would refuse the bots' row from 2.7 KB on.
create index concurrently if not exists agentp_clients_whatsapp_id
on public.clients_v2 using hash (whatsapp_id) where whatsapp_id is not null;

-- What stood in its place before.
drop index concurrently if exists public.agentp_clients_whatsapp;

-- Rows are written in the order of time, nearly: a block range index is small and finds the last weeks.
create index concurrently if not exists agentp_history_sent
on public.recent_history_v2 using brin (created_at);

create index concurrently if not exists agentp_sessions_started
on public.conversation_sessions_v2 using brin (started_at);
