"""`agentp activate`: exit codes, and what people get to read."""

from __future__ import annotations

from tests.activation.conftest import Salon
from tests.agentp.conftest import RunCommand
from tests.support.marts import Workshop

AS_OF = ("--as-of", "2026-03-01T12:00:00+03:00")


def test_without_apply_it_shows_and_changes_nothing(run_command: RunCommand, salon: Salon) -> None:
    salon.execute("update clients_v2 set phone = '+79161234567'")
    answer = run_command("activate", *AS_OF, database_url=salon.url)
    assert answer.code == 0, answer.err
    (line,) = [
        line for line in answer.out.splitlines() if line.split()[:1] == ["salon"] and line.split()[1:2] == ["11"]
    ]
    assert line.split()[1:] == ["11", "4", "0", "1", "0", "0", "0", "6"]
    assert "win-back: 1 refused to be written to" in answer.out
    assert "Nothing was changed: --apply does it." in answer.out
    assert "Здравствуйте, f…!" in answer.out
    assert "first waiting" not in answer.out
    assert "9161234567" not in answer.out
    assert salon.outbox() == {}


def test_apply_writes_and_doing_it_again_finds_nothing(run_command: RunCommand, salon: Salon) -> None:
    answer = run_command("activate", "--apply", *AS_OF, database_url=salon.url)
    assert answer.code == 0, answer.err
    assert "12 memories written, 6 messages queued" in answer.out
    assert len(salon.outbox()) == 6
    again = run_command("activate", "--apply", *AS_OF, database_url=salon.url)
    assert (again.code, "There is nothing to write" in again.out) == (0, True)


def test_what_cannot_start_returns_2(run_command: RunCommand, salon: Salon, raw_workshop: Workshop) -> None:
    soon = run_command("activate", "--as-of", "soon", database_url=salon.url)
    assert (soon.code, "neither a day nor an instant" in soon.err) == (2, True)
    local = run_command("activate", "--as-of", "2026-03-01T12:00", database_url=salon.url)
    assert (local.code, "neither a day nor an instant" in local.err) == (2, True)
    unbuilt = run_command("activate", database_url=raw_workshop.url)
    assert (unbuilt.code, "agentp run" in unbuilt.err) == (2, True)
    stale = run_command("activate", "--as-of", "2026-05-01", database_url=salon.url)
    assert (stale.code, "agentp run" in stale.err) == (2, True)
