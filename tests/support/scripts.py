"""Builds from what dbt wrote: the SQL of one `dbt run`, recorded once and executed as often as tests need it.

A `dbt run` costs two seconds of Python and sixty sessions of the server before any row is computed. What it executes
for a model is one script, which dbt writes to `target/run` (the statement `main` of the materialization); what its
hooks execute is told by its events. Nothing in either changes from run to run but the database, `as_of` and the
invocation's id. Tests about rows execute these scripts on one connection. Tests about dbt itself (contracts, limits,
parts, locks, kills) run dbt, and `tests/dbt/test_recorded_scripts.py` holds the two ways against each other.
"""

from __future__ import annotations

import fcntl
import json
import pickle
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict

from agentp import pipeline
from agentp.project import compute_definition, run_dbt
from agentp.settings import Settings, read_limits

DAY, INSTANT = "1987-06-05", "1987-06-05T04:03:02+00:00"
"""As of when recorded builds are; nothing else in the project's SQL has these letters."""
SHARE = 0.19870605
"""The brake's share of recorded builds that have one; nothing else in the project's SQL is this number."""
START, END = "operation.agentp.agentp-on-run-start-0", "operation.agentp.agentp-on-run-end-0"
TRACKED = "select exists (select 1 from pg_trigger where tgname = 'agentp_note_update')"
STANDS = "select to_regclass('build.runs') is not null and to_regclass('dashboard.figures_shown') is not null"
LAST = "select definition from build.runs where outcome = 'complete' order by finished_at desc limit 1"
SHOWN_AT = re.compile(r"timestamptz '[^']+'(?= as shown_at)")
"""When figures are shown, which dbt asks the server for while it compiles."""


@dataclass(frozen=True)
class Names:
    """What differs between two runs of the same scripts."""

    database: str
    as_of: str
    invocation_id: str
    brake_share: float


@dataclass(frozen=True)
class Scripts:
    """What one `dbt run` executed: its first hook, each model that publishes, parents first, its last hook."""

    names: Names
    start: str
    models: dict[str, str]
    end: str

    def fill(self, script: str, names: Names) -> bytes:
        """Return a script of the recorded run as that of another."""
        script = script.replace(f'"{self.names.database}".', f'"{names.database}".')
        return (
            script.replace(self.names.as_of, names.as_of)
            .replace(self.names.invocation_id, names.invocation_id)
            .replace(str(SHARE), str(names.brake_share))
            .encode()
        )


class Kind(NamedTuple):
    """What scripts of one `dbt run` differ in from those of another, but for names and numbers."""

    is_full: bool
    is_day: bool
    is_tracked: bool
    is_braked: bool


@dataclass
class Recorder:
    """The project's scripts by kind of build, recorded on the database at ``url``.

    ``renew`` makes it anew, as one whose marts stand. What one worker has recorded is in ``folder`` for the others.
    """

    settings: Settings
    url: str
    renew: Callable[[], None]
    folder: Path
    scripts: dict[Kind, Scripts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.definition, self.limits = compute_definition(self.settings), read_limits()

    @cached_property
    def parents(self) -> dict[str, list[str]]:
        """Every model's parents, by name."""
        with self._share("parents.pickle") as path:
            if not path.exists():
                run_dbt(self.settings, self.url, "parse")
                found = read_parents(self.settings.home / "dbt" / "target" / "manifest.json")
                path.write_bytes(pickle.dumps(found))
            return dict(pickle.loads(path.read_bytes()))

    @contextmanager
    def _share(self, name: str) -> Iterator[Path]:
        """Hold what all workers keep under a name, so that one of them makes it and the others wait."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.folder / name

    def fits(self, url: str, settings: Settings) -> bool:
        """Whether a build of this database is of a recorded kind: marts that stand, the same models, usual limits."""
        with psycopg.connect(url) as connection:
            if not (connection.execute(STANDS).fetchone() or (False,))[0]:
                return False
            last = connection.execute(LAST).fetchone()
        return (
            last == (compute_definition(settings),) == (self.definition,)
            and read_limits() == self.limits
            and settings.brake_rows == self.settings.brake_rows
        )

    def run(
        self,
        url: str,
        *,
        as_of: str,
        brake_share: float,
        full_refresh: bool = False,
        select: str | None = None,
        dies_in: str | None = None,
    ) -> None:
        """Build as `dbt run` would, on one connection; one that ``dies_in`` a model ends before it publishes it."""
        names = Names(str(conninfo_to_dict(url)["dbname"]), as_of, str(uuid.uuid4()), brake_share)
        chosen = self._select(select)
        with psycopg.connect(url, autocommit=True) as connection:
            (is_tracked,) = connection.execute(TRACKED).fetchone() or (False,)
            kind = Kind(full_refresh, len(as_of) == len(DAY), is_tracked, brake_share < 1)
            script = self._find(kind)
            connection.execute(script.fill(script.start, names))
            found = connection.execute("select is_full from build.runs where invocation_id = %s", [names.invocation_id])
            (is_full,) = found.fetchone() or (True,)
            script = self._find(kind._replace(is_full=is_full))
            for name, model in script.models.items():
                if chosen is None or name in chosen:
                    with connection.transaction():
                        connection.execute(script.fill(model, names))
                        if name == dies_in:
                            connection.close()
                            return
            if chosen is None:
                connection.execute(script.fill(script.end, names))
            else:
                connection.execute(
                    "update build.runs set outcome = 'partial', finished_at = clock_timestamp() "
                    "where invocation_id = %s", [names.invocation_id]
                )  # fmt: skip

    def list_models(self) -> list[str]:
        """Return what a build publishes, in its order."""
        return list(self._find(Kind(is_full=False, is_day=True, is_tracked=True, is_braked=True)).models)

    def _find(self, kind: Kind) -> Scripts:
        if kind not in self.scripts:
            with self._share(f"{'-'.join(map(str, kind))}.pickle") as path:
                if not path.exists():
                    path.write_bytes(pickle.dumps(self._record(kind)))
                self.scripts[kind] = pickle.loads(path.read_bytes())
        return self.scripts[kind]

    def _record(self, kind: Kind) -> Scripts:
        """Run dbt on a copy, and keep what it executed."""
        url, as_of, events = self.url, DAY if kind.is_day else INSTANT, list[Any]()
        share = SHARE if kind.is_braked else 1
        settings = self.settings.model_copy(update={"brake_share": share})
        self.renew()
        with psycopg.connect(url) as connection:
            if not kind.is_tracked:
                connection.execute("drop schema change_tracking cascade")
        with pipeline.open_build(url):
            arguments = ["run", "--full-refresh"] if kind.is_full else ["run"]
            outcome = run_dbt(settings, url, *arguments, as_of=as_of, on_event=events.append)
        assert outcome.failures == []
        with psycopg.connect(url) as connection:
            [(invocation_id, was_full)] = connection.execute(
                "select invocation_id, is_full from build.runs order by claimed_at desc limit 1"
            ).fetchall()
        assert was_full == kind.is_full, "a build must be of the kind that is to be recorded"
        return Scripts(
            Names(str(conninfo_to_dict(url)["dbname"]), as_of, invocation_id, share),
            read_hook(events, START),
            dict(self._read_models(self.settings.home / "dbt" / "target" / "run", as_of)),
            read_hook(events, END),
        )

    def _read_models(self, folder: Path, as_of: str) -> Iterator[tuple[str, str]]:
        """Yield what each model executed, parents first: tables, and views that say as of when they are."""
        written = {path.stem: path.read_text(encoding="utf-8") for path in folder.rglob("*.sql")}
        done: set[str] = set()

        def walk(name: str) -> Iterator[tuple[str, str]]:
            if name not in done:
                done.add(name)
                for parent in self.parents.get(name, []):
                    yield from walk(parent)
                script = written.get(name, "")
                if "insert into build.model_runs" in script or as_of in script:
                    yield name, SHOWN_AT.sub("statement_timestamp()", script)

        for name in sorted(self.parents):
            yield from walk(name)

    def _select(self, selection: str | None) -> set[str] | None:
        """Return the models that `name` and `+name` select, as dbt does; None is all of them."""
        if selection is None:
            return None
        chosen: set[str] = set()
        for word in selection.split():
            chosen |= self._trace(word[1:]) if word.startswith("+") else {word}
        assert chosen <= self.parents.keys(), f"{selection} names no model"
        return chosen

    def _trace(self, name: str) -> set[str]:
        return {name}.union(*(self._trace(parent) for parent in self.parents.get(name, []) if parent in self.parents))


def read_parents(manifest: Path) -> dict[str, list[str]]:
    """Return every model's parents, by name, from what dbt parsed."""
    parsed = json.loads(manifest.read_text(encoding="utf-8"))
    return {
        name.split(".")[-1]: [parent.split(".")[-1] for parent in parents]
        for name, parents in parsed["parent_map"].items()
        if name.startswith("model.")
    }


def read_hook(events: Iterable[Any], name: str) -> str:
    """Return the last that a hook executed, which is its own SQL: what it asked the server before went into that."""
    return str([e.data.sql for e in events if e.info.name == "SQLQuery" and e.data.node_info.unique_id == name][-1])
