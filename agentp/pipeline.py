"""The steps that the commands are made of: migrate, check, build, score, test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from agentp.database import open_connection
from agentp.errors import SetupError
from agentp.priority import yield_to_others
from agentp.project import check_as_of, raise_first_failure, run_dbt
from agentp.settings import Settings

if TYPE_CHECKING:
    from activation.scores import ScoreReport
    from expectations.verdicts import Verdict


@dataclass(frozen=True)
class MartChange:
    """What one build did to one mart: rows by kind of change, and how many it holds now."""

    mart: str
    was_full: bool
    inserted: int
    updated: int
    deleted: int
    rows: int


def migrate(
    url: str,
    *,
    with_change_tracking: bool,
    report: Callable[[str], None],
    is_oldest: bool = False,
    is_creating: bool = True,
) -> list[str]:
    """Bring the raw tables to the standard's shape and make the roles; return what the migrations had to report.

    ``is_oldest`` gives them the oldest shape that builds read, and makes no roles. Without ``is_creating`` a database
    that has none of the raw tables is refused with a `RawTablesError`: it may be another product's. Of a database that
    has some, those that are missing are made, and told of.
    """
    from access.schema import prepare_roles
    from sources.migrations import apply_migrations
    from sources.raw_tables import find_missing_tables, has_no_raw_tables
    from sources.sight import require_sight
    from systems.registry import list_systems

    # It takes back what older versions gave to who builds, and reads nothing of theirs.
    with open_connection(url, autocommit=True, reads_marts=False) as connection:
        warnings: list[str] = []
        if not (is_creating and all(has_no_raw_tables(connection, system) for system in list_systems())):
            require_sight(connection, is_written=True)
            warnings += [
                f"{system.raw_schema}.{table} was not there and was made, empty; was it lost?"
                for system in list_systems()
                for table in find_missing_tables(connection, system)
            ]
        for system in list_systems():
            warnings += apply_migrations(
                connection, system, last=system.oldest_migration if is_oldest else None,
                with_change_tracking=with_change_tracking, report=report,
            )  # fmt: skip
        if not is_oldest:
            warnings += prepare_roles(connection)
            report("roles")
        return warnings


def check(
    settings: Settings,
    url: str,
    *,
    as_of: str | None = None,
    is_full: bool = False,
    docs: Path | None = None,
    announce: Callable[[str], None] = lambda line: None,
    report: Callable[[str], None] = lambda table: None,
) -> Verdict:
    """Check the raw tables against the data standard; keep the verdict and what is set aside.

    Rows are judged by the clock of the check; an ``as_of`` after it moves it, so that a demo of days to come passes.
    Volumes and silences are judged from ``as_of``.
    """
    from expectations.gate import check_standard

    clock = datetime.now(UTC)
    check_as_of(as_of)
    if docs is not None:
        try:
            docs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"The site cannot be written to {docs}: {error.strerror}.", cure="Name a folder that you may write to."
            ) from error
    watched_at = find_last_moment(as_of) if as_of else clock
    with yield_to_others(url):
        return check_standard(
            url, present=max(clock, watched_at), watched_at=watched_at, default_timezone=settings.default_timezone,
            is_full=is_full, docs=docs, announce=announce, report=report,
        )  # fmt: skip


def find_last_moment(as_of: str) -> datetime:
    """Return the instant that ``as_of`` is; of a day its end, UTC."""
    moment = datetime.fromisoformat(as_of)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC) + timedelta(days=1)


@contextmanager
def open_build(
    url: str, *, without: Collection[str] = (), announce: Callable[[str], None] = lambda line: None,
    is_written: bool = False,
) -> Iterator[None]:  # fmt: skip
    """Hold the build lock while the block builds, with everything there that models read.

    ``without`` are raw tables of which nothing is to be built; ``is_written`` says that the block changes raw rows.
    """
    from access.marts import prepare_schemas, secure_own_tables
    from access.schema import prepare_access
    from activation.schema import prepare_tables
    from expectations.schema import prepare_store
    from sources.late_binding import prepare_raw_views
    from sources.raw_tables import require_raw_tables
    from sources.sight import hold_marts

    with hold_marts(url, announce=announce, is_written=is_written):
        # Each of these in transactions of its own: readers may be at work on whatever they alter.
        with open_connection(url, autocommit=True) as connection:
            require_raw_tables(connection, without=without)
            prepare_raw_views(connection)
            prepare_store(connection)
            prepare_tables(connection)
            prepare_access(connection)
            prepare_schemas(connection)
            secure_own_tables(connection)
        yield


def build(
    settings: Settings,
    url: str,
    *,
    as_of: str | None = None,
    full_refresh: bool = False,
    select: str | None = None,
    accept_removals: bool = False,
    announce: Callable[[str], None] = lambda line: None,
    on_start: Callable[[str, int], None] = lambda name, total: None,
    on_finish: Callable[[str], None] = lambda name: None,
) -> list[MartChange]:
    """Build the marts under the build lock; return what changed in each.

    ``accept_removals`` lets marts lose more than the brake lets go (agentp/brake.py).
    """
    check_as_of(as_of)
    arguments = ["run"]
    if full_refresh:
        arguments.append("--full-refresh")
    if select:
        arguments += ["--select", *select.split()]
    with open_build(url, announce=announce):
        outcome = run_dbt(
            settings, url, *arguments, as_of=as_of, accept_removals=accept_removals, on_start=on_start,
            on_finish=on_finish,
        )  # fmt: skip
        raise_first_failure(outcome)
        if select and not outcome.succeeded:
            raise SetupError(
                f"--select '{select}' names no model.",
                cure="Name models by dbt's selection syntax, such as `sessions`, `sessions+` or `marts.daily`.",
            )
        return read_last_changes(url)


def score(
    url: str,
    *,
    as_of: str | None = None,
    kinds: Collection[str] | None = None,
    announce: Callable[[str], None] = lambda line: None,
) -> tuple[ScoreReport, ...]:
    """Score every client and every booking ahead, or one of the two; by default as of the last build."""
    from activation.scores import KINDS
    from activation.scores import score as score_marts

    check_as_of(as_of)
    return score_marts(url, as_of=as_of, kinds=KINDS if kinds is None else kinds, announce=announce)


def check_marts(
    settings: Settings,
    url: str,
    *,
    as_of: str | None = None,
    on_start: Callable[[str, int], None] = lambda name, total: None,
    on_finish: Callable[[str], None] = lambda name: None,
) -> int:
    """Run every dbt data test; return how many passed."""
    from sources.sight import hold_marts

    with hold_marts(url, purpose="test"):
        outcome = run_dbt(
            settings, url, "test", "--select", "test_type:data", as_of=as_of, on_start=on_start, on_finish=on_finish
        )
    raise_first_failure(outcome)
    return outcome.succeeded


def read_last_changes(url: str) -> list[MartChange]:
    """Return what the latest build did, mart by mart."""
    with open_connection(url) as connection:
        rows = connection.execute(
            "select model_runs.model, model_runs.was_full, model_runs.rows_inserted, model_runs.rows_updated, "
            "model_runs.rows_deleted, model_runs.row_count from build.model_runs where model_runs.invocation_id = ("
            "select invocation_id from build.runs order by claimed_at desc limit 1) order by model_runs.finished_at"
        ).fetchall()
    return [
        MartChange(mart=model, was_full=was_full, inserted=inserted, updated=updated, deleted=deleted, rows=count)
        for model, was_full, inserted, updated, deleted, count in rows
    ]
