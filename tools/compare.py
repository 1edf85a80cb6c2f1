"""Compare two databases row for row: `python -m tools.compare URL URL` (before and after a change, docs/testing.md).

Every relation of the schemas that are built or kept is read in both, as a bag of rows without what every run makes
anew: times of runs, their ids, and hashes of definitions. Relations that one of them lacks are told of.
"""

from __future__ import annotations

import sys
from typing import Any

import psycopg
from psycopg import sql

SCHEMAS = ("analysis", "build", "dashboard", "intermediate", "live", "quality", "scoring", "staging")
VOLATILE = (
    r"^(present|invocation_id|definition|standard|fingerprint|model|run_id|since_run_id|model_run_id"
    r"|(\w+_)?(at|ms|seconds))$"
)
"""Columns that differ from one run to the next; of times those only that runs write."""
RUN_TIMES = ("build", "quality", "scoring")

_READ = """
select
    nspname::text, relname::text,
    array_agg(attname::text || ' ' || format_type(atttypid, atttypmod) order by attname)
from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid
inner join pg_attribute on pg_class.oid = attrelid
where nspname = any(%s) and relkind in ('r', 'v') and attnum > 0 and not attisdropped
group by 1, 2 order by 1, 2
"""


def compare(before: psycopg.Connection[Any], after: psycopg.Connection[Any]) -> list[str]:
    """Return what differs, one sentence a relation; nothing where all is equal."""
    shapes = [
        {(schema, name): columns for schema, name, columns in connection.execute(_READ, (list(SCHEMAS),))}
        for connection in (before, after)
    ]
    found = [f"{'.'.join(place)} is gone" for place in sorted(shapes[0].keys() - shapes[1].keys())]
    found += [f"{'.'.join(place)} is new" for place in sorted(shapes[1].keys() - shapes[0].keys())]
    for place in sorted(shapes[0].keys() & shapes[1].keys()):
        if shapes[0][place] != shapes[1][place]:
            changed = sorted(set(shapes[0][place]) ^ set(shapes[1][place]))
            found.append(f"{'.'.join(place)} has other columns: {', '.join(changed)}")
            continue
        bags = [_read_bag(connection, place) for connection in (before, after)]
        if bags[0] != bags[1]:
            found.append(f"{'.'.join(place)}: {bags[0][0]:,} rows before, {bags[1][0]:,} after, and they differ")
    return found


def _read_bag(connection: psycopg.Connection[Any], place: tuple[str, str]) -> tuple[int, Any]:
    """Return how many rows there are, and a sum of their hashes, whatever their order."""
    pattern = VOLATILE if place[0] in RUN_TIMES else "^(invocation_id|definition|predicted_at|shown_at|run_id)$"
    row = connection.execute(
        sql.SQL(
            "select count(*), sum(hashtextextended(jsonb_strip_nulls((select jsonb_object_agg(key, value) "
            "from jsonb_each(to_jsonb(rows)) where key !~ {})) ::text, 0)::numeric) from {} as rows"
        ).format(pattern, sql.Identifier(*place))
    ).fetchone()
    return row or (0, None)


def main() -> None:
    """Print what differs; exit code 1 where anything does."""
    with psycopg.connect(sys.argv[1]) as before, psycopg.connect(sys.argv[2]) as after:
        found = compare(before, after)
    print("\n".join(found) or "All relations are equal.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
