"""What a site is brought up to date by, and what is left of it when something goes wrong in between."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agentp.errors import SetupError
from reports import site as sites
from reports import workers
from reports.audiences import Audience
from reports.errors import ReportError
from reports.reading import Salon
from reports.salon_pages import write_salon
from reports.site import SiteReport, write_site
from tests.reports.chain_filled import HACKS
from tests.reports.site_reading import find_salon, list_pages, parse, read_dialogs, snap
from tests.support.marts import Workshop, make_id

OWNER = Audience.OWNER
SALONS = ("north", "far", "west")


def renew(workshop: Workshop, site: Path, audience: Audience = OWNER, tenants: Sequence[str] = ()) -> SiteReport:
    return write_site(workshop.url, site, audience=audience, tenants=tenants, processes=1)


def change(workshop: Workshop, salon: str) -> None:
    workshop.execute(
        "update dashboard.persons set client_name = 'Новое имя' where tenant_id = %s and person_id = %s",
        [make_id(salon), make_id(f"{salon} 1")],
    )


def rendered(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the salons whose files were written anew."""
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return {"/".join(name.split("/")[:2]) for name in changed if name.startswith("salons/")}


def test_a_second_write_renders_no_salon(small: Workshop, site: Path) -> None:
    before = snap(site)
    assert renew(small, site) == SiteReport(index=site / "index.html", salons=3, rendered=0, removed=0)
    after = snap(site)
    assert rendered(before, after) == set()
    assert {name for name in before if name.startswith("assets/") and before[name] != after[name]} == set()


def test_one_late_message_renders_its_salon_alone(
    make_copy: Callable[[], Workshop], owner_site: Path, tmp_path: Path
) -> None:
    copy = make_copy()
    site = Path(shutil.copytree(owner_site, tmp_path / "site"))
    before = snap(site)
    copy.add_message(
        900_000, "2026-02-10 11:03+00", session="far 20 2", tenant="far", client="far 20", message="a word of late"
    )
    copy.build()
    assert renew(copy, site).rendered == 1
    far = find_salon(copy, "far")
    assert rendered(before, snap(site)) == {far}
    assert "a word of late" in str(read_dialogs(site / far))


def test_what_is_changed_in_a_live_view_counts_as_well(small: Workshop, site: Path) -> None:
    changes = {
        "north": "update dashboard.predictions set risk_score = 0.77 where tenant_id = %s",
        "far": "update wishlist_v2 set comment = 'sooner' where tenant_id = %s",
        "west": "update tenants_v2 set name = 'Новая' where id = %s",
    }
    for salon, statement in changes.items():
        before = snap(site)
        small.execute(statement, [make_id(salon)])
        assert renew(small, site).rendered == 1, salon
        assert rendered(before, snap(site)) == {find_salon(small, salon)}


def test_a_changed_program_renders_everything(small: Workshop, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "identify_program", lambda audience: "another")
    assert renew(small, site).rendered == 3


def test_another_audience_renders_all_and_leaves_no_name_behind(small: Workshop, site: Path) -> None:
    assert any("Ёлкина" in page.read_text(encoding="utf-8") for page in list_pages(site))
    assert renew(small, site, Audience.ANALYST).rendered == 3
    assert not list(site.rglob("dialogs"))
    texts = [path.read_bytes() for path in site.rglob("*") if path.is_file() and path.parent.name != "assets"]
    assert not [text for text in texts if "Ёлкина".encode() in text or b"+7 916" in text]
    assert renew(small, site, OWNER).rendered == 3
    assert list(site.rglob("dialogs"))


def test_a_change_of_audience_that_stops_shows_analysts_nothing_of_people(
    small: Workshop, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "write_salon", fail)
    with pytest.raises(KeyboardInterrupt):
        renew(small, site, Audience.ANALYST)
    assert not list(site.rglob("dialogs"))
    assert not [page for page in list_pages(site) if "Ёлкина" in page.read_text(encoding="utf-8")]


def test_a_change_of_audience_that_stopped_is_finished_by_the_next_write(
    small: Workshop, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Salon] = []

    def fail_second(*arguments: Any, **options: Any) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(arguments[1])
        write_salon(*arguments, **options)

    monkeypatch.setattr(workers, "write_salon", fail_second)
    with pytest.raises(KeyboardInterrupt):
        renew(small, site, Audience.ANALYST)
    monkeypatch.undo()
    assert renew(small, site, Audience.ANALYST).rendered == 2
    assert not list(site.rglob("dialogs"))


def test_a_killed_change_of_audience_is_taken_back_by_the_next_write(
    small: Workshop, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[object] = []
    write = sites._write_state

    def write_once(*arguments: Any) -> None:
        # As a process leaves it that is killed before it writes down what it did.
        if not written:
            write(*arguments)
        written.append(arguments)

    monkeypatch.setattr(sites, "_write_state", write_once)
    renew(small, site, Audience.ANALYST)
    monkeypatch.undo()
    assert not list(site.rglob("dialogs"))
    renew(small, site)
    assert list(site.rglob("dialogs"))


def test_one_salon_alone_is_all_there_is_then(small: Workshop, site: Path) -> None:
    report = renew(small, site, tenants=("north",))
    assert (report.salons, report.removed) == (1, 2)
    north = find_salon(small, "north")
    assert {path.name for path in (site / "salons").iterdir()} == {Path(north).name}
    assert {path.name for path in site.iterdir()} == {".lock", "site.json", "assets", "salons", "index.html"}
    words = [str(make_id(salon))[:8] for salon in ("far", "west")] + [HACKS[0], "window.hacked", "../../x"]
    for path in (path for path in site.rglob("*") if path.is_file() and path.parent.name != "assets"):
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [word for word in words if word in text], path
    for page in list_pages(site):
        assert not [link for link in parse(page).find("a") if "../../../ru/" in str(link["href"])], page
    assert f'href="{north}/ru/index.html"' in (site / "index.html").read_text(encoding="utf-8")
    assert renew(small, site, tenants=("north",)).rendered == 0
    report = renew(small, site)
    assert report.rendered == 3
    assert (site / "ru" / "index.html").exists()


@pytest.mark.parametrize("name", ["west", "id", "Студия"])
def test_salons_are_found_by_slug_id_and_name(small: Workshop, tmp_path: Path, name: str) -> None:
    wanted = str(make_id("west")) if name == "id" else name
    assert renew(small, tmp_path / "new", tenants=(wanted,)).salons == (2 if name == "Студия" else 1)


def test_a_salon_that_closed_goes(small: Workshop, site: Path) -> None:
    far = find_salon(small, "far")
    small.execute("update tenants_v2 set is_active = false where id = %s", [make_id("far")])
    report = renew(small, site)
    assert (report.salons, report.rendered, report.removed) == (2, 0, 1)
    assert not (site / far).exists()
    assert far not in (site / "ru" / "index.html").read_text(encoding="utf-8")
    assert HACKS[0][1:] not in (site / "ru" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["notes.txt", "salons", ".hidden"])
def test_a_folder_that_holds_something_else_is_refused_and_left_alone(
    small: Workshop, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "desk"
    if name == "salons":
        (folder / name).mkdir(parents=True)
        (folder / name / "letters").write_text("mine", encoding="utf-8")
    else:
        folder.mkdir()
        (folder / name).write_text("mine", encoding="utf-8")
    before = snap(folder)
    for _ in range(2):
        with pytest.raises(ReportError, match="holds something else") as refused:
            renew(small, folder)
        assert refused.value.cure
        assert snap(folder) == before
        assert not (folder / ".lock").exists()


def test_a_salon_that_there_is_not_changes_nothing(small: Workshop, site: Path) -> None:
    before = snap(site)
    with pytest.raises(SetupError, match="no salon 'south'"):
        renew(small, site, tenants=("south",))
    assert snap(site) == before


CHILD = """
import sys
from pathlib import Path
from reports import site as sites, workers
from reports.audiences import Audience

if sys.argv[3] == "slow":
    write = workers.write_salon
    def wait(connection, salon, folder, **options):
        if len(list((folder.parent).glob("[!.]*"))) if folder.parent.exists() else False:
            (folder.parent / f".{folder.name}.part" / "ru").mkdir(parents=True)
            (folder.parent / f".{folder.name}.part" / "ru" / "index.html").write_text("half a p")
            print("half", flush=True)
            sys.stdin.read()
        write(connection, salon, folder, **options)
    workers.write_salon = wait
sites.write_site(sys.argv[1], Path(sys.argv[2]), audience=Audience.OWNER, processes=1)
print("done", flush=True)
"""


def start(workshop: Workshop, folder: Path, pace: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, workshop.url, str(folder), pace],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_a_killed_write_leaves_whole_pages_and_the_next_one_finishes(small: Workshop, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    child = start(small, folder, "slow")
    assert child.stdout is not None
    assert child.stdout.readline() == "half\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    whole = [path for path in (folder / "salons").iterdir() if not path.name.startswith(".")]
    assert len(whole) == 1
    for page in list_pages(whole[0]):
        assert page.read_text(encoding="utf-8").rstrip().endswith(("</html>", "</p>"))
    report = renew(small, folder)
    assert report.salons == 3
    assert {f"salons/{path.name}" for path in (folder / "salons").iterdir()} == {
        find_salon(small, salon) for salon in SALONS
    }
    assert not list(folder.rglob("*.part"))
    for page in list_pages(folder):
        assert page.read_text(encoding="utf-8") != "half a p"
    assert renew(small, folder).rendered == 0


def test_two_at_once_wait_for_each_other(small: Workshop, site: Path) -> None:
    change(small, "north")
    inside, leave = threading.Event(), threading.Event()

    def stop(done: int, total: int) -> None:
        inside.set()
        assert leave.wait(60)

    found: dict[str, SiteReport] = {}

    def write(name: str, **options: Any) -> None:
        found[name] = write_site(small.url, site, audience=OWNER, processes=1, **options)

    first = threading.Thread(target=write, args=("first",), kwargs={"report": stop})
    second = threading.Thread(target=write, args=("second",))
    first.start()
    assert inside.wait(60)
    second.start()
    time.sleep(1)
    assert second.is_alive()
    assert found == {}
    leave.set()
    first.join(60)
    second.join(60)
    assert (found["first"].rendered, found["second"].rendered) == (1, 0)


def compute_in_python(connection: Any) -> None:
    raise ValueError("Анна Ёлкина has a price of seven")


def compute_in_postgres(connection: Any) -> None:
    connection.execute("select 'Анна Ёлкина'::numeric")


@pytest.mark.parametrize(
    ("compute", "kind"), [(compute_in_python, "ValueError"), (compute_in_postgres, "InvalidTextRepresentation")]
)
def test_a_salon_that_cannot_be_rendered_keeps_its_old_pages_and_stops_no_other(
    small: Workshop, site: Path, monkeypatch: pytest.MonkeyPatch, compute: Callable[[Any], None], kind: str
) -> None:
    for salon in ("north", "west"):
        small.execute("update tenants_v2 set name = 'Новая' where id = %s", [make_id(salon)])
    change(small, "far")
    far = find_salon(small, "far")
    before = snap(site / far)

    def fail(connection: Any, salon: Salon, folder: Path, **options: Any) -> None:
        if salon.tenant_id == make_id("far"):
            (folder.parent / f".{folder.name}.part").mkdir()
            compute(connection)
        write_salon(connection, salon, folder, **options)

    monkeypatch.setattr(workers, "write_salon", fail)
    with pytest.raises(ReportError) as told:
        write_site(small.url, site, audience=OWNER, processes=1)
    assert f"1 of 3 salons could not be made; first, of '{Path(far).name}': {kind} in tests/" in str(told.value)
    assert "Ёлкина" not in str(told.value)
    assert snap(site / far) == before
    known = json.loads((site / "site.json").read_text(encoding="utf-8"))["salons"]
    assert Path(far).name not in known
    monkeypatch.undo()
    assert len(known) == 2
    assert renew(small, site).rendered == 1
    assert snap(site / far) != before
    assert renew(small, site).rendered == 0


def test_what_every_salon_would_meet_ends_the_site_at_once(
    small: Workshop, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[object] = []

    def fail(*arguments: Any, **_: Any) -> None:
        met.append(arguments[1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sites, "identify_program", lambda audience: "another")
    monkeypatch.setattr(workers, "write_salon", fail)
    with pytest.raises(ReportError, match="No space left on device"):
        renew(small, site)
    assert len(met) == 1


def test_several_processes_render_what_one_does(
    small: Workshop, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ALONE_UP_TO", 0)
    seen: list[tuple[int, int]] = []
    write_site(
        small.url, tmp_path / "new", audience=OWNER, processes=2, report=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def read(folder: Path) -> dict[str, bytes]:
        return {name: data for name, (_, data) in snap(folder).items() if not name.endswith((".xlsx", "site.json"))}

    assert read(tmp_path / "new") == read(site)
