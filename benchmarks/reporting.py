"""What the site of reports costs: 200 salons with a million messages in under 60 s and 1 GB (issue 6).

`python -m benchmarks.reporting` works on the database that settings name, as `agentp demo --sessions 90000 --run`
leaves it. `--split` first makes nine salons of each of its 24, by clients, and builds the marts anew: on a database for
nothing else. The floor is reading all dialogs and sessions as CSV through COPY, which every site of them has to do.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import psycopg

from agentp.database import resolve_url
from agentp.pipeline import build
from agentp.settings import read_settings
from reports.audiences import Audience
from reports.site import write_site

PARTS = 9
SPLIT = (
    "set session_replication_role = replica",
    "create temporary table parts as select clients.id as client_id, clients.tenant_id, "
    "case when abs(hashtext(clients.id::text)) %% %(parts)s = 0 then clients.tenant_id "
    "else md5(clients.tenant_id::text || abs(hashtext(clients.id::text)) %% %(parts)s)::uuid end as part_id, "
    "abs(hashtext(clients.id::text)) %% %(parts)s as part from public.clients_v2 as clients",
    "create unique index on parts (client_id)",
    "insert into public.tenants_v2 (id, name, slug, is_active, metadata) select distinct on (parts.part_id) "
    "parts.part_id, tenants.name || ' ' || parts.part, tenants.slug || '-' || parts.part, tenants.is_active, "
    "tenants.metadata from parts join public.tenants_v2 as tenants on tenants.id = parts.tenant_id "
    "where parts.part > 0",
    "update public.clients_v2 as moved set tenant_id = parts.part_id from parts where moved.id = parts.client_id",
    *(
        f"update public.{table} as moved set tenant_id = parts.part_id from parts where moved.user_id = parts.client_id"
        for table in (
            "conversation_sessions_v2", "recent_history_v2", "wishlist_v2", "user_ltm_v2", "active_sessions_v2",
        )
    ),
)  # fmt: skip
FLOOR = (
    "copy (select session_id, role, sent_at, message_text from dashboard.dialogs) to stdout (format csv)",
    "copy dashboard.sessions to stdout (format csv)",
)


def split_salons(url: str) -> None:
    """Make several salons of each, every client with all that is theirs in one of them."""
    with psycopg.connect(url) as connection:
        for statement in SPLIT:
            connection.execute(statement, {"parts": PARTS} if "%(parts)s" in statement else None)


def measure_floor(url: str) -> float:
    """Return the seconds that it takes to read dialogs and sessions."""
    began = time.perf_counter()
    with psycopg.connect(url) as connection:
        for statement in FLOOR:
            with connection.cursor().copy(statement) as copy:
                for _ in copy:
                    pass
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print seconds, ratios to the floor, and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", action="store_true")
    parser.add_argument("--as-of")
    arguments = parser.parse_args()
    settings = read_settings()
    url = resolve_url(settings)
    if arguments.split:
        split_salons(url)
        build(settings, url, as_of=arguments.as_of, full_refresh=True)
    folder = Path(tempfile.mkdtemp()) / "site"
    floor = measure_floor(url)
    print(f"floor: {floor:.1f} s")
    for name in ("everything", "nothing changed"):
        began = time.perf_counter()
        found = write_site(url, folder, audience=Audience.OWNER, processes=settings.threads)
        seconds = time.perf_counter() - began
        salons = f"{found.rendered} of {found.salons} salons"
        print(f"{name}: {seconds:.1f} s, {seconds / floor:.1f} times the floor, {salons}")
    own, others = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"memory: {own:.0f} MB here, {others:.0f} MB in the largest of {settings.threads} processes")
    print(f"files: {sum(1 for path in folder.rglob('*') if path.is_file()):,}")
    shutil.rmtree(folder.parent)


if __name__ == "__main__":
    main()
