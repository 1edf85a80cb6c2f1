"""A source system of three tables that is no salon's: what engines promise every system is tried on it."""

from systems.system import KeptReference, System, Table

SYSTEM = System(
    name="toy",
    package=__name__,
    raw_schema="toy_raw",
    mart_schema="toy",
    tables=(
        Table(name="brands", prefix="brands"),
        Table(name="orders", prefix="orders", clock="paid_at"),
        Table(
            name="events",
            prefix="events",
            clock="happened_at",
            kept_reference=KeptReference(column="order", table="orders", kept_as="lost_order"),
        ),
    ),
    tenants="select md5(id)::uuid as tenant_id, title as name, null as timezone, true as is_active from {raw}.brands",
    oldest_migration="0001_tables",
)
