"""Behind PgBouncer: in transaction mode nothing begins and the cure is told, in session mode everything works."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from agentp.errors import ConnectionFailedError
from agentp.locks import hold_build_lock
from tests.support.marts import Workshop

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
logfile = {folder}/log
"""


@contextmanager
def run_pgbouncer(workshop: Workshop, *, mode: str, size: int = 5) -> Iterator[Workshop]:
    """Yield the workshop as it is reached through a PgBouncer of Debian's package."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    assert program, "PgBouncer is not installed: apt install pgbouncer"
    parts = {"password": "", **conninfo_to_dict(workshop.url)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own_port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "pgbouncer.ini"
        file.write_text(CONFIGURATION.format(**parts, own_port=own_port, mode=mode, size=size, folder=folder))
        # It does not run as root.
        user = None
        if os.geteuid() == 0:
            user = "nobody"
            for path in (folder, file):
                shutil.chown(path, user)
        with subprocess.Popen([program, "-q", str(file)], user=user) as process:
            try:
                url = make_conninfo(
                    f"postgresql://127.0.0.1:{own_port}/{parts['dbname']}", user=parts["user"], connect_timeout=20
                )
                await_port(own_port, process)
                yield Workshop(url=url, settings=workshop.settings.model_copy(update={"database_url": url}))
            finally:
                process.terminate()


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when the port takes connections."""
    while process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"PgBouncer ended with code {process.returncode}")


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_hands_sessions_on_is_refused(workshop: Workshop, mode: str) -> None:
    workshop.add_dialogue()
    before = workshop.execute("select * from build.runs")
    with run_pgbouncer(workshop, mode=mode) as pooled:
        for work in (pooled.build, pooled.check, pooled.migrate):
            with pytest.raises(ConnectionFailedError, match=r"gives every transaction another session.*6543"):
                work()
        # Another's transaction, by which the session that is looked for may be taken.
        with psycopg.connect(pooled.url, autocommit=mode == "statement") as other:
            other.execute("select 1")
            with pytest.raises(ConnectionFailedError, match="gives every transaction another session"):
                pooled.check()
    assert workshop.execute("select * from build.runs") == before


def test_in_session_mode_builds_work_and_exclude_one_another(workshop: Workshop) -> None:
    workshop.add_dialogue()
    with run_pgbouncer(workshop, mode="session", size=20) as pooled:
        assert pooled.build_with_dbt()["dialogs"].inserted == 1
        told: list[str] = []

        def hear(line: str) -> None:
            told.append(line)
            holder.rollback()

        with psycopg.connect(workshop.url) as holder:
            holder.execute("lock table build.lock_builds in exclusive mode")
            with hold_build_lock(pooled.url, announce=hear):
                assert f"pid {holder.info.backend_pid} of " in told[0]
