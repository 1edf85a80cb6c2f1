"""A database that exists and is not the bots' is left as it is, and so is the site of the right one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.agentp.conftest import RunCommand
from tests.support.marts import Workshop

OBJECTS = (
    "select nspname || coalesce('.' || relname, '') as name from pg_namespace left join pg_class on relnamespace = "
    "pg_namespace.oid where nspname !~ '^(pg_|information_schema)' order by 1"
)
COMMANDS = (
    ("migrate",), ("check",), ("build",), ("score",), ("activate", "--apply"), ("run",), ("run", "--no-migrations"),
    ("backfill", "2026-01-01", "2026-01-02"), ("repair", "sessions", "--apply"), ("logins",),
    ("grant", "agentp", "--as", "analyst"), ("forget", "--client", "11111111-1111-4111-8111-111111111111"),
)  # fmt: skip


def test_no_command_makes_anything_in_a_database_without_raw_tables(run_command: RunCommand, database_url: str) -> None:
    other = Workshop(url=database_url, settings=None)  # type: ignore[arg-type]
    other.execute("create table orders (id int)")
    # Somebody else's, for all its name.
    other.execute("create table clients_v2 (id int, name text)")
    before = other.execute(OBJECTS)
    for command in COMMANDS:
        answer = run_command(*command, database_url=database_url)
        assert answer.code == 2, (command, answer.out, answer.err)
        assert "none of the raw tables" in answer.err, (command, answer.err)
        assert "agentp migrate --create" in answer.err
        assert other.execute(OBJECTS) == before, command
    assert run_command("alert", database_url=database_url).code == 0
    assert other.execute(OBJECTS) == before
    other.execute("drop table clients_v2")
    created = run_command("migrate", "--create", database_url=database_url)
    assert created.code == 0, created.err
    assert other.execute("select count(*) as n from tenants_v2") == [{"n": 0}]


def test_a_raw_table_that_vanished_stops_what_needs_it_and_is_not_made_anew(
    run_command: RunCommand, workshop: Workshop, tmp_path: Path
) -> None:
    workshop.add_dialogue()
    workshop.build()
    before = workshop.read_marts()
    workshop.execute("drop table recent_history_v2 cascade")
    for command in (("run", "--as-of", "2026-02-28"), ("build", "--as-of", "2026-02-28")):
        answer = run_command(*command, database_url=workshop.url, report="false")
        assert answer.code in (1, 2), answer.out
        assert "recent_history_v2" in answer.err
        assert workshop.execute("select to_regclass('public.recent_history_v2') is null as gone") == [{"gone": True}]
    assert workshop.read_marts() == before
    again = run_command("migrate", database_url=workshop.url)
    assert again.code == 0
    assert "public.recent_history_v2 was not there and was made, empty" in again.out
    # Live views went with the table.
    report = run_command("report", "--out", str(tmp_path / "site"), database_url=workshop.url)
    assert (report.code, (tmp_path / "site" / "index.html").exists()) == (2, False)
    assert "dashboard.row_accounts" in report.err
    assert "agentp build" in report.err


def test_a_site_is_never_removed_for_salons_that_are_not_there(
    run_command: RunCommand, workshop: Workshop, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    command = ("report", "--out", str(site))
    nothing = run_command(*command, database_url=workshop.url)
    assert nothing.code == 0, nothing.err
    assert "No salon is active" in nothing.out
    assert not (site / "index.html").exists()
    page = site / "salons" / "ours-12345678" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("ours", encoding="utf-8")
    state = {"audience": "owner", "chain": True, "salons": {"ours-12345678": "signature"}}
    (site / "site.json").write_text(json.dumps(state), encoding="utf-8")
    answer = run_command(*command, database_url=workshop.url)
    assert answer.code == 1
    assert "left as it is" in answer.err
    assert page.read_text(encoding="utf-8") == "ours"
