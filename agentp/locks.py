"""Locks between processes of one machine, on files; those on a database are in `agentp.database`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hold_file_lock(path: Path) -> Iterator[None]:
    """Hold the lock that the file stands for while the block runs; wait for whoever holds it, thread or process."""
    # flock goes with the process: a killed command leaves a file, never a lock.
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
