"""The raw tables by the name that rule ids begin with; light to import."""

from __future__ import annotations

TABLES = {
    "tenants": "tenants_v2",
    "clients": "clients_v2",
    "sessions": "conversation_sessions_v2",
    "messages": "recent_history_v2",
    "wishes": "wishlist_v2",
    "open_sessions": "active_sessions_v2",
    "memories": "user_ltm_v2",
}
