"""`agentp report`: where the site goes, for whom, and what is said when it cannot be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.settings import Settings
from tests.agentp.conftest import Answer, RunCommand
from tests.support.marts import Workshop


@pytest.fixture(scope="module")
def _built(make_database: Callable[[str | None], str], built_template: str, home: Path) -> Workshop:
    """Two salons, built; no test changes them."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url, report=False))
    for name in ("north", "south"):
        workshop.add_tenant(name, slug=f"{name}-nails")
        workshop.add_client(name, f"{name} client", phone="+79161234567")
        workshop.add_session(
            f"{name} visit", "2026-02-10 10:00+00", "2026-02-10 10:20+00", tenant=name, client=f"{name} client"
        )
    workshop.build()
    return workshop


@pytest.fixture
def report(run_command: RunCommand, _built: Workshop) -> Callable[..., Answer]:
    """Run `agentp report ARGUMENTS` on the two salons."""

    def run(*arguments: str, **settings: str) -> Answer:
        return run_command("report", *arguments, database_url=_built.url, **settings)

    return run


def test_it_says_where_the_site_opens_and_what_was_done(report: Callable[..., Answer], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "site"
    answer = report("--out", str(out))
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"2 salons, 2 of them rendered anew, for the owner: open {out}/index.html\n"
    assert (out / "index.html").exists()
    assert "0 of them rendered anew" in report("--out", str(out)).out
    assert "1 salons" in report("--out", str(out), "--tenant", "north-nails").out
    assert "2 salons" in report("--out", str(out), "--tenant", "north-nails", "--tenant", "south").out


def test_without_a_folder_it_goes_where_runs_write_it(report: Callable[..., Answer], tmp_path: Path) -> None:
    settings = {"report_folder": str(tmp_path / "daily"), "report_audience": "analyst"}
    answer = report(**settings)
    assert answer.out.endswith(f"for the analyst: open {tmp_path}/daily/index.html\n")
    assert not list((tmp_path / "daily").rglob("dialogs"))
    assert "for the owner" in report("--audience", "owner", **settings).out
    assert list((tmp_path / "daily").rglob("dialogs"))


@pytest.mark.parametrize(
    ("arguments", "problem", "cure"),
    [
        (("--audience", "press"), "--audience is 'press'.", "--audience owner or --audience analyst"),
        (("--tenant", "west"), "There is no salon 'west'.", "north-nails, south-nails"),
        (("--tenant", "' or 1=1 --"), "There is no salon '' or 1=1 --'.", "north-nails"),
    ],
)
def test_what_there_is_not_is_said_in_a_sentence_with_its_cure(
    report: Callable[..., Answer], tmp_path: Path, arguments: tuple[str, ...], problem: str, cure: str
) -> None:
    answer = report("--out", str(tmp_path / "site"), *arguments)
    assert answer.code == 2
    assert problem in answer.err
    assert cure in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "site" / "index.html").exists()


def test_a_folder_that_cannot_be_written_to_is_named(report: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    folders = [tmp_path / "file" / "site", tmp_path / "file"]
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        folders.append(tmp_path / "locked" / "site")
    for folder in folders:
        answer = report("--out", str(folder))
        assert answer.code == 1
        assert f"The site cannot be written to {folder}" in answer.err
        assert "Name a folder that you may write to" in answer.err


def test_a_folder_of_something_else_is_refused(report: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to my mother").write_text("dear", encoding="utf-8")
    answer = report("--out", str(tmp_path / "letters"))
    assert answer.code == 1
    assert "holds something else (to my mother)" in answer.err
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["to my mother"]


def test_a_database_in_which_nothing_was_built_is_told_what_to_run(
    run_command: RunCommand, workshop: Workshop, database_url: str, tmp_path: Path
) -> None:
    for url in (workshop.url, database_url):
        answer = run_command("report", "--out", str(tmp_path / "site"), database_url=url)
        assert answer.code == 2, conninfo_to_dict(url)
        assert "Nothing was built yet." in answer.err
        assert "`agentp run`" in answer.err


def test_what_was_built_by_hand_is_shown_without_any_run(
    run_command: RunCommand, workshop: Workshop, tmp_path: Path
) -> None:
    workshop.add_tenant("north")
    workshop.build()
    answer = run_command("report", "--out", str(tmp_path / "site"), database_url=workshop.url)
    assert (answer.code, answer.err) == (0, "")
