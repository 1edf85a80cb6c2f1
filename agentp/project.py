"""The dbt project as the command line runs it: environment, variables, events, errors."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from agentp.brake import CURE, STOPPED, require_roots
from agentp.database import open_connection
from agentp.dbt_costs import forget_repeated_flags, save_costs
from agentp.errors import AgentpError, BuildError, RawTablesError, SetupError
from agentp.priority import yield_to_others
from agentp.redaction import scrub_error
from agentp.sessions import describe_holders
from agentp.settings import DBT_PROJECT, Settings, read_limits
from agentp.transport import complete_parts, secure_url

DAY_OR_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?))?")

LOCK_TIMEOUT = re.compile("canceling statement due to lock timeout|из-за тайм-аута блокировки")
DBT_HEADLINE = re.compile(r"(Database|Runtime|Compilation) Error|\S+\.on-run-(start|end)\.\d+ failed, error:")
"""Lines of dbt's that say nothing but where; the reason is in the next one."""
HOOKS = re.compile(r"agentp-on-run-(start|end)-\d+")


SAYINGS = ("description", "data_tests", "tests", "unit_tests", "freshness", "loaded_at_field")
"""Properties that change no row."""


@dataclass
class DbtOutcome:
    """What one dbt invocation did: failures as (node, message), and how many nodes succeeded.

    ``errors`` are those failures that could not do their work, as against tests that found something.
    """

    failures: list[tuple[str, str]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    succeeded: int = 0


def compute_definition(settings: Settings) -> str:
    """Return a hash of everything the marts are computed by: SQL, types, keys, configuration; not what is said of them.

    When it differs from that of the last complete build, the next build computes everything anew.
    """
    digest = hashlib.sha256()
    files = [DBT_PROJECT / "dbt_project.yml"]
    for folder in ("models", "macros", "seeds"):
        files += sorted(
            path
            for path in (DBT_PROJECT / folder).rglob("*")
            if path.is_file() and not path.name.endswith("_unit_tests.yml")
        )
    for path in files:
        content = path.read_bytes()
        if path.suffix in (".yml", ".yaml"):
            content = _read_properties(content)
        digest.update(str(path.relative_to(DBT_PROJECT)).encode() + b"\0" + content + b"\0")
    digest.update(json.dumps(describe_variables(settings), sort_keys=True).encode())
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _read_properties(content: bytes) -> bytes:
    """Return what a file of properties says that rows depend on: no description, no test, no comment.

    One that is no YAML is taken as it stands: dbt says where it is wrong.
    """
    import yaml

    # The parser in C, where there is one, takes a tenth of the time.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return json.dumps(_drop_sayings(yaml.load(content, Loader=loader)), default=str).encode()
    except yaml.YAMLError:
        return content


def _drop_sayings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _drop_sayings(each) for name, each in value.items() if name not in SAYINGS}
    return [_drop_sayings(each) for each in value] if isinstance(value, list) else value


def check_as_of(as_of: str | None) -> str | None:
    """Return ``as_of`` when it is a day or an instant with its offset; refuse anything else."""
    if as_of is None:
        return None
    from datetime import datetime

    try:
        valid = DAY_OR_INSTANT.fullmatch(as_of) is not None and bool(datetime.fromisoformat(as_of))
    except ValueError:
        valid = False
    if not valid:
        raise SetupError(
            f"--as-of is '{as_of}', which is neither a day nor an instant.",
            cure="Write 2026-01-31 (the end of that local day) or 2026-01-31T09:00:00+03:00.",
        )
    return as_of


def run_dbt(
    settings: Settings,
    url: str,
    *arguments: str,
    as_of: str | None = None,
    days: str = "",
    accept_removals: bool = False,
    on_start: Callable[[str, int], None] = lambda name, total: None,
    on_finish: Callable[[str], None] = lambda name: None,
    on_event: Callable[[Any], None] = lambda event: None,
) -> DbtOutcome:
    """Run dbt in this process and return its outcome; raise when it could not even begin.

    ``days`` (2026-01-01..2026-01-31) are computed anew whether anything changed on them or not. With
    ``accept_removals`` marts may lose more than the brake lets go; without it, what the raw tables have lost as a whole
    is a `BuildError` (agentp/brake.py). ``on_event`` hears every event of dbt as it comes, from whatever thread dbt
    works in.
    """
    from dbt.cli.main import dbtRunner

    if arguments[0] in ("run", "build") and not accept_removals:
        with open_connection(url) as connection:
            require_roots(connection, settings)
    outcome = DbtOutcome()

    def listen(event: Any) -> None:
        on_event(event)
        name = event.info.name
        if name == "LogStartLine":
            on_start(event.data.description, event.data.total)
        elif name == "NodeFinished":
            on_finish(event.data.node_info.node_name)

    save_costs()
    variables = describe_variables(settings)
    # Nobody reads dbt's artefacts of a run, and writing them takes a fifth of a build without changes; `parse` does.
    unread = () if arguments[0] == "parse" else ("--no-write-json",)
    wanted = describe_environment(settings, url, as_of=as_of, days=days, accept_removals=accept_removals)
    with _set_environment(wanted), yield_to_others(url):
        result = dbtRunner(callbacks=[listen]).invoke(
            [*arguments, *unread, "--vars", json.dumps(variables), "--log-level", "none", "--log-level-file", "none"]
        )
    forget_repeated_flags()
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    if result.exception is not None and not _node_results(result):
        raise _explain("dbt", str(result.exception))
    for node in _node_results(result):
        status = str(node.status)
        if status in ("error", "fail", "runtime error"):
            message = tell_first_error(node.message or "") or "no message"
            if LOCK_TIMEOUT.search(message):
                message = f"{message}; {_describe_blockers(url, node.node.name)}"
            outcome.failures.append((node.node.name, message))
            if status != "fail":
                outcome.errors.append(outcome.failures[-1])
        elif status in ("success", "pass"):
            outcome.succeeded += 1
    return outcome


def raise_first_failure(outcome: DbtOutcome) -> None:
    """Turn a failed build into one sentence for the person who started it."""
    if outcome.failures:
        raise _explain(*outcome.failures[0])


def raise_first_error(outcome: DbtOutcome) -> None:
    """Turn what could not be built, or not be tested, into one sentence; tests that found something are results."""
    if outcome.errors:
        raise _explain(*outcome.errors[0])


def _describe_blockers(url: str, name: str) -> str:
    """Return who holds what a model is published as, a moment after it was not to be had."""
    from systems.registry import place_model

    places = [f'{schema}."{name}"' for schema in ("live", "analysis", "staging", "intermediate")]
    places.append('{}."{}"'.format(*place_model(name)))
    with open_connection(url) as connection:
        if HOOKS.fullmatch(name):
            return describe_holders(connection, schemas=["build"])
        return describe_holders(connection, relations=places)


def _node_results(result: Any) -> list[Any]:
    return list(getattr(result.result, "results", None) or [])


def describe_variables(settings: Settings) -> dict[str, Any]:
    """Return the variables of models that settings say."""
    from systems.registry import list_systems

    return {
        "session_gap_minutes": settings.session_gap_minutes,
        "default_timezone": settings.default_timezone,
        "systems": [system.name for system in list_systems()],
        "raw_schemas": {system.name: system.raw_schema for system in list_systems()},
    }


def tell_first_error(message: str) -> str:
    """Return what dbt, or the database through it, complains of: one line, scrubbed, without values of rows."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((scrub_error(line) for line in lines if not DBT_HEADLINE.match(line)), "")


def _explain(node: str, message: str) -> AgentpError:
    text = tell_first_error(message) or node
    missing = re.search(r'(relation|column) "?([\w.]+)"? (?:of relation \S+ )?does not exist', text)
    if missing and node.startswith("stg_"):
        return RawTablesError(
            f"The raw {'table' if missing[1] == 'relation' else 'column'} {missing[2]} is missing.",
            cure="Run `agentp migrate`, or restore what the bots write.",
        )
    if "permission denied" in text:
        return SetupError(
            f"The build lacks a right: {text}.",
            cure="Build as the owner of the marts, or have the right granted.",
        )
    if text.startswith(STOPPED):
        return BuildError(text, cure=CURE)
    hook = HOOKS.fullmatch(node)
    return BuildError(
        f"{f'The {hook[1]} of the build' if hook else node} failed: {text.rstrip('.')}.",
        cure="The marts hold their old rows wherever the new ones are not in; mend the cause and build again.",
    )


def describe_environment(
    settings: Settings, url: str, *, as_of: str | None = None, days: str = "", accept_removals: bool = False
) -> dict[str, str]:
    """Return what dbt, its profile and the project read of the environment, by name; the password is among it.

    The connection goes through the environment, never through a command line or a file.
    """
    parts, limits = complete_parts(secure_url(url)), read_limits()
    home = settings.home / "dbt"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "AGENTP_PG_HOST": parts.get("host") or "localhost",
        "AGENTP_PG_PORT": str(parts.get("port") or 5432),
        "AGENTP_PG_USER": parts.get("user") or "postgres",
        "AGENTP_PG_PASSWORD": parts.get("password") or "",
        "AGENTP_PG_DBNAME": parts.get("dbname") or parts.get("user") or "postgres",
        "AGENTP_PG_SSLMODE": parts.get("sslmode") or "prefer",
        "AGENTP_PG_SSLROOTCERT": parts.get("sslrootcert") or "",
        "AGENTP_PG_SSLCERT": parts.get("sslcert") or "",
        "AGENTP_PG_SSLKEY": parts.get("sslkey") or "",
        "AGENTP_PG_STATEMENT_TIMEOUT": limits.statement_timeout,
        "AGENTP_PG_LOCK_TIMEOUT": limits.lock_timeout,
        "AGENTP_BATCH_MESSAGES": str(limits.batch_messages),
        "AGENTP_AS_OF": as_of or "",
        "AGENTP_DAYS": days,
        "AGENTP_BRAKE_SHARE": str(settings.brake_share),
        "AGENTP_BRAKE_ROWS": str(settings.brake_rows),
        "AGENTP_ACCEPT_REMOVALS": str(accept_removals).lower(),
        "AGENTP_DEFINITION": compute_definition(settings),
        "AGENTP_THREADS": str(settings.threads),
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


@contextmanager
def _set_environment(wanted: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
