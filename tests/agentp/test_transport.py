"""What leaves this machine is encrypted or does not leave; what waits ends (issue 7, "The connection")."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from agentp.database import open_connection, resolve_url
from agentp.errors import AgentpError, ConnectionFailedError, SetupError
from agentp.locks import hold_build_lock
from agentp.project import raise_first_failure, run_dbt
from agentp.settings import Settings, read_limits
from agentp.transport import secure_url
from expectations.validation import validate_tables
from tests.support.marts import Workshop

PASSWORD = "canary-pass"


@pytest.fixture(autouse=True)
def _no_settings_of_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@127.0.0.1:5432/x", "postgresql://me@127.8.9.10/x", "postgresql://me@localhost/x?sslmode=disable",
        "postgresql://me@[::1]:5432/x", "postgresql://me@[::ffff:127.0.0.1]/x", "postgresql:///x", "dbname=x",
        "postgresql://me@/x?host=/var/run/postgresql", "host=LOCALHOST sslmode=prefer", "postgresql://%2Ftmp/x",
        "host=127.0.0.1,localhost,/tmp", "host=localhost hostaddr=127.0.0.1",
    ],
)  # fmt: skip
def test_this_machine_may_be_talked_to_in_the_clear(url: str) -> None:
    assert secure_url(url) == url


@pytest.mark.parametrize(
    ("url", "secured"),
    [
        ("postgresql://me:x@db.example/y", "postgresql://me:x@db.example/y?sslmode=require"),
        ("postgres://me@10.0.0.1:6543/y?connect_timeout=3", None),
        ("host=db.example dbname=y", "host=db.example dbname=y sslmode=require"),
        ("host=127.0.0.1,8.8.8.8", "host=127.0.0.1,8.8.8.8 sslmode=require"),
        ("host=localhost hostaddr=8.8.8.8", "host=localhost hostaddr=8.8.8.8 sslmode=require"),
        ("host=localhost.example", "host=localhost.example sslmode=require"),
        ("host=127.1", "host=127.1 sslmode=require"),
        ("service=bots", "service=bots sslmode=require"),
        ("postgresql://me@[2001:db8::1]/y?sslmode=", "postgresql://me@[2001:db8::1]/y?sslmode=&sslmode=require"),
        ("host=db sslmode=verify-full", "host=db sslmode=verify-full"),
        ("host=db sslmode=verify-ca", "host=db sslmode=verify-ca"),
        ("host=db sslmode=require", "host=db sslmode=require"),
    ],
)
def test_another_machine_is_asked_for_tls(url: str, secured: str | None) -> None:
    assert secure_url(url) == (secured or f"{url}&sslmode=require")
    assert psycopg.conninfo.conninfo_to_dict(secure_url(url))["sslmode"] in ("require", "verify-ca", "verify-full")


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "REQUIRE", "no"])
def test_a_mode_that_may_go_out_in_the_clear_is_refused(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match=f"AGENTP_DATABASE_URL says sslmode={mode} for db.example") as caught:
        secure_url(f"postgresql://me:{PASSWORD}@db.example/x?sslmode={mode}")
    assert "sslmode=require" in caught.value.cure
    assert PASSWORD not in str(caught.value)
    monkeypatch.setenv("PGSSLMODE", mode)
    with pytest.raises(SetupError, match=f"PGSSLMODE says sslmode={mode}"):
        secure_url("postgresql://me@db.example/x")
    assert secure_url("postgresql://me@127.0.0.1/x") == "postgresql://me@127.0.0.1/x"


def test_where_libpq_is_sent_by_its_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    assert secure_url("dbname=x") == "dbname=x sslmode=require"
    assert secure_url("postgresql://127.0.0.1/x") == "postgresql://127.0.0.1/x"
    monkeypatch.setenv("PGHOSTADDR", "8.8.8.8")
    assert secure_url("postgresql://127.0.0.1/x") == "postgresql://127.0.0.1/x?sslmode=require"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert secure_url("dbname=x") == "dbname=x sslmode=verify-full"


def test_a_url_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(SetupError) as caught:
        secure_url(f"postgresql://me:{PASSWORD}@db:port:{PASSWORD}/x y=")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def find_own_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


class Eavesdropper:
    """A server that refuses TLS, then takes whatever it is sent."""

    def __init__(self, address: str) -> None:
        self.heard = b""
        self._socket = socket.create_server((address, 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    while data := connection.recv(4096):
                        self.heard += data
                        # "N" to whoever asks for TLS, a demand for the password in the clear to whoever does not.
                        asks = data[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30")
                        connection.sendall(b"N" if asks else b"R\0\0\0\x08\0\0\0\x03")
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def eavesdropper() -> Iterator[Eavesdropper]:
    server = Eavesdropper(find_own_address())
    yield server
    server.close()


def test_a_server_without_tls_hears_no_password(eavesdropper: Eavesdropper, home: Path) -> None:
    url = f"postgresql://me:{PASSWORD}@{find_own_address()}:{eavesdropper.port}/x"
    settings = Settings(home=home, database_url=url)

    def connect() -> None:
        with open_connection(url):
            pass

    ways: list[Callable[[], object]] = [
        connect,
        lambda: raise_first_failure(run_dbt(settings, url, "run", "--select", "tenant_settings")),
        lambda: validate_tables(resolve_url(settings), tables=["tenants_v2"], run_id=1),
    ]
    for way in ways:
        with pytest.raises(Exception, match=r"TLS|SSL") as caught:
            way()
        assert PASSWORD not in str(caught.value)
    with pytest.raises(ConnectionFailedError, match="has no TLS"):
        connect()
    assert eavesdropper.heard  # it was asked for TLS
    assert PASSWORD.encode() not in eavesdropper.heard
    assert b"me\0" not in eavesdropper.heard
    # The same server does hear it from whoever may talk in the clear: the test would see it.
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"{url}?sslmode=disable", connect_timeout=3)
    assert PASSWORD.encode() in eavesdropper.heard


def read_limits_of(workshop: Workshop, reader: str) -> set[tuple[str, str]]:
    return {(row["statement"], row["lock"]) for row in workshop.execute(f"select * from {reader}")}


def test_every_connection_of_ours_has_its_limits(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "select current_setting('statement_timeout'), current_setting('lock_timeout')"
    with open_connection(workshop.url) as connection:
        assert connection.execute(query).fetchone() == ("30min", "10s")
    monkeypatch.setenv("AGENTP_STATEMENT_TIMEOUT_MINUTES", "0")
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "0.5")
    with open_connection(workshop.url) as connection:
        assert connection.execute(query).fetchone() == ("0", "500ms")
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "soon")
    with pytest.raises(SetupError, match="AGENTP_LOCK_TIMEOUT_SECONDS"):
        read_limits()


def test_the_builds_lock_is_waited_for_as_long_as_it_takes(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTP_LOCK_TIMEOUT_SECONDS", "0.2")
    monkeypatch.setenv("AGENTP_STATEMENT_TIMEOUT_MINUTES", "0.005")
    waits, has, errors = threading.Event(), threading.Event(), []

    def wait() -> None:
        try:
            with hold_build_lock(workshop.url, announce=lambda line: waits.set()):
                has.set()
        except (AgentpError, psycopg.Error) as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    with hold_build_lock(workshop.url):
        thread.start()
        assert waits.wait(20)
        assert not has.wait(1.5)
    thread.join(20)
    assert not errors
    assert has.is_set()
