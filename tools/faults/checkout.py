"""The checkout that faults are planted into: a copy of it for each fault, and what tells it from another."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentp.errors import SetupError


def list_files(repo: Path) -> list[str]:
    """Return the files that git knows or would add, from the checkout's root; a `SetupError` where there is no git."""
    if not (repo / "tests").is_dir():
        raise SetupError(f"{repo} is no checkout of this project.", cure="Name its root: --repo DIR.")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        found = subprocess.run(command, cwd=repo, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"git does not list the files of {repo}: {error}.", cure="Name a git checkout.") from error
    # A file that was deleted and not committed is listed, and is not there.
    return sorted(name for name in set(found.decode().split("\0")) if name and (repo / name).is_file())


def identify(repo: Path, *, without: Path | None = None) -> str:
    """Return a hash of all files of the checkout: results of another one say nothing of it.

    ``without`` is the file of results itself, which may stand in the checkout.
    """
    found = hashlib.sha256()
    for name in list_files(repo):
        if without is not None and (repo / name).resolve() == without.resolve():
            continue
        found.update(f"{name}\0".encode() + hashlib.sha256((repo / name).read_bytes()).digest())
    return found.hexdigest()[:16]


@contextmanager
def copy_checkout(repo: Path) -> Iterator[Path]:
    """Yield a copy of the checkout in a folder of its own, which goes afterwards with all that was put there."""
    with tempfile.TemporaryDirectory(prefix="agentp-fault-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "checkout"
        for name in list_files(repo):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repo / name, copy / name)
        yield copy
