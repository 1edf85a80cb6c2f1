"""`agentp psql`: Postgres' own shell on the database, with the password in a file that nobody else reads.

On a command line, as in `psql "$(agentp url)"`, every user of the machine reads it in the list of processes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence

from psycopg.conninfo import make_conninfo

from agentp.binaries import find_binaries
from agentp.errors import ServerError, SetupError
from agentp.transport import parse_url


def run_psql(url: str, arguments: Sequence[str]) -> int:
    """Run psql with the arguments until it ends; return its exit code. Raises `SetupError` where there is none."""
    parts = {name: value for name, value in parse_url(url).items() if value not in (None, "")}
    password = parts.pop("password", None)
    environment = dict(os.environ)
    with tempfile.NamedTemporaryFile("w", prefix="agentp-", suffix=".pgpass") as file:
        if password is not None:
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            file.write(f"*:*:*:*:{escaped}\n")
            file.flush()
            environment["PGPASSFILE"] = file.name
            environment.pop("PGPASSWORD", None)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # psql's: it ends a query
        try:
            return subprocess.run(
                [_find_psql(), f"--dbname={make_conninfo('', **parts)}", *arguments], env=environment, check=False,
                preexec_fn=_heed_interrupts,
            ).returncode  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _find_psql() -> str:
    found = shutil.which("psql")
    if found:
        return found
    try:
        own = find_binaries() / "psql"
    except ServerError:
        own = None
    if own is None or not own.exists():
        raise SetupError("There is no psql on this machine.", cure="Install it (Debian: postgresql-client).")
    return str(own)
