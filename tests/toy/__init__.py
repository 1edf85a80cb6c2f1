"""A source system of three tables that is no salon's: what engines promise every system is tried on it."""

from systems.system import KeptReference, System, Table

SYSTEM = System(
    name="toy",
    package=__name__,
    raw_schema="toy_raw",
    tables=(
        Table(name="brands"),
        Table(name="orders"),
        Table(
            name="events",
            kept_reference=KeptReference(column="order", table="orders", kept_as="lost_order"),
        ),
    ),
    oldest_migration="0001_tables",
)
