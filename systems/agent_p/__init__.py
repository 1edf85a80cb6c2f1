"""Agent P: bots of salons on Telegram and WhatsApp that take bookings. Its raw tables are those that bots write."""

from systems.system import KeptReference, System, Table

SYSTEM = System(
    name="agent_p",
    package=__name__,
    raw_schema="public",
    mart_schema="dashboard",
    tables=(
        Table(name="tenants_v2", prefix="tenants"),
        Table(name="clients_v2", prefix="clients"),
        Table(name="active_sessions_v2", prefix="open_sessions"),
        Table(name="conversation_sessions_v2", prefix="sessions", clock="started_at"),
        Table(
            name="recent_history_v2",
            prefix="messages",
            clock="created_at",
            # Migration 0003 does the same to messages that were there before it.
            kept_reference=KeptReference(
                column="session_id", table="conversation_sessions_v2", kept_as="legacy_session_id"
            ),
        ),
        Table(name="wishlist_v2", prefix="wishes", clock="created_at"),
        Table(name="user_ltm_v2", prefix="memories", is_written=True),
    ),
    tenants="select id as tenant_id, name, metadata -> 'settings' ->> 'timezone' as timezone, is_active "
    "from {raw}.tenants_v2",
    oldest_migration="0001_legacy_tables",
    optional_migrations=("0005_change_tracking", "0006_build_indexes", "0007_search_extensions"),
    steps=frozenset({"scores", "messages", "wishes", "digests", "report"}),
    has_own_triggers=True,
    has_fixed_schema=True,
)
