"""`agentp dev` on a port that is taken."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from rich.console import Console

from agentp.errors import SetupError
from agentp.running import open_dagster
from agentp.settings import Settings


def test_a_taken_port_ends_it_before_anything_is_started(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(SetupError) as refusal:
            open_dagster(
                Console(quiet=True), Settings(home=home, database_url="postgresql://nobody@localhost:1/x"), port=port
            )
    assert f"Port {port} " in refusal.value.message
    assert "--port" in refusal.value.cure
    assert not home.exists()
