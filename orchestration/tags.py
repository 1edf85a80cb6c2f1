"""The tags by which a run says what it is about, and the jobs that there are."""

from __future__ import annotations

AS_OF = "agentp/as_of"
"""The run's present: a day or an instant. Without it, the moment at which the run began."""
STARTED_BY = "agentp/started_by"
MIGRATE = "agentp/migrate"
"""`false` on a database whose raw tables may not be altered."""
ONLY_CHANGES = "agentp/only_changes"
"""`true` where the run's day is what it is filed under, and not a day to compute anew."""
CURSOR = "agentp/wishes_since"
"""Where the look that found wishes began (orchestration/defs/wishes.py)."""
BACKFILL_ID = "agentp/backfill_id"
FULL_REFRESH = "agentp/full_refresh"
FORCE = "agentp/force"
"""`true` where the run's present may lie ahead: nothing of it is kept (agentp/present.py)."""
ACCEPT_REMOVALS = "agentp/accept_removals"
"""`true` where marts may lose more rows, salons or clients than the brake lets go."""
TARGET = "agentp/target"
"""What a run writes, marts, outbox or digests: one run at a time works on each (orchestration/targets.py, deploy/)."""
PRIORITY = "dagster/priority"
PARTITION, FIRST_PARTITION, LAST_PARTITION = (
    "dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end",
)  # fmt: skip

MARTS, OUTBOX, LETTERS = "marts", "outbox", "digests"
DAILY, HOURLY, BACKFILL, WISHES, DIGESTS, BY_HAND = "daily", "hourly", "backfill", "wishes", "digests", "assets"
TARGETS = {DAILY: MARTS, HOURLY: MARTS, BACKFILL: MARTS, BY_HAND: MARTS, WISHES: OUTBOX, DIGESTS: LETTERS}
"""What the runs of each job write; `assets` is whatever somebody chose by hand."""


def find_job(name: str) -> str:
    """Return the job of ours that has the name, `assets` for any other."""
    return name if name in TARGETS else BY_HAND
