"""The planted faults fit the code as it is, and the runner tells caught, missed and neither apart; without a server."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import Environment

from agentp.errors import SetupError
from agentp.settings import PROJECT_ROOT
from tools.faults import trial
from tools.faults.__main__ import main
from tools.faults.checkout import identify
from tools.faults.fault import Fault, choose_faults, read_faults
from tools.faults.results import Results
from tools.faults.trial import try_fault

FAULTS = read_faults()
SUM = Fault(
    id="sums-are-differences",
    room="tiny",
    file="tiny.py",
    old="a + b",
    new="a - b",
    why="",
    tests=("tests/test_sum.py",),
)
UNNOTICED = replace(SUM, id="nobody-looks", file="tiny.py", old="a * b", new="a / b")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_fault_can_be_planted_and_leaves_a_file_that_reads(fault: Fault, tmp_path: Path) -> None:
    copy = tmp_path / fault.file
    copy.parent.mkdir(parents=True)
    copy.write_bytes((PROJECT_ROOT / fault.file).read_bytes())
    assert fault.plant(tmp_path) is None
    text = copy.read_text(encoding="utf-8")
    assert text.strip()
    assert text != (PROJECT_ROOT / fault.file).read_text(encoding="utf-8")
    if copy.suffix == ".py":
        assert ast.dump(ast.parse(text)) != ast.dump(ast.parse((PROJECT_ROOT / fault.file).read_text(encoding="utf-8")))
    elif fault.file.startswith("dbt_project/") and "{% materialization" not in text:
        Environment(autoescape=False, extensions=["jinja2.ext.do"]).parse(text)


def test_there_are_sixty_faults_at_least_each_with_an_id_of_its_own_and_a_reason() -> None:
    assert len(FAULTS) >= 60
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
    assert [fault.id for fault in FAULTS if not fault.why.endswith(".")] == []


def test_every_fault_names_tests_that_are_there() -> None:
    assert [fault.id for fault in FAULTS if not fault.tests] == []
    paths = {path for fault in FAULTS for path in fault.tests}
    assert sorted(path for path in paths if not (PROJECT_ROOT / path).exists()) == []
    assert [path for path in paths if "::" in path] == [], "single tests may be renamed"


def test_faults_are_chosen_by_id_and_room_and_unknown_names_are_refused() -> None:
    first = FAULTS[0]
    assert choose_faults(FAULTS, only=[first.id], room=None) == [first]
    assert {fault.room for fault in choose_faults(FAULTS, only=[], room="scoring")} == {"scoring"}
    assert main(["--only", "no-such-fault", "--list"]) == 2
    with pytest.raises(SetupError, match="no room 'cellar'"):
        choose_faults(FAULTS, only=[], room="cellar")


@pytest.fixture
def tiny_checkout(tmp_path: Path) -> Path:
    """A checkout with two functions, of which one is tested."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tiny.py").write_text("def add(a, b):\n    return a + b\n\n\ndef times(a, b):\n    return a * b\n")
    (tmp_path / "tests" / "test_sum.py").write_text(
        "import tiny\n\n\ndef test_sum():\n    assert tiny.add(1, 2) == 3\n"
    )
    (tmp_path / ".gitignore").write_text("ignored\n__pycache__/\n")
    (tmp_path / "ignored").write_text("")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def test_a_fault_is_caught_or_missed_or_has_no_answer_and_the_checkout_stays_as_it_was(tiny_checkout: Path) -> None:
    before = identify(tiny_checkout)
    unnamed = replace(SUM, id="tests-gone", tests=("tests/test_gone.py",))
    unplanted = replace(SUM, id="text-gone", old="a ** b")
    found = [try_fault(tiny_checkout, fault, limit_seconds=60) for fault in (SUM, UNNOTICED, unnamed, unplanted)]
    assert [result.outcome for result in found] == ["caught", "missed", "error", "error"]
    assert found[0].detail == "tests/test_sum.py::test_sum: assert -1 == 3"
    assert "pytest returned 4" in found[2].detail
    assert "stands 0 times in tiny.py" in found[3].detail
    assert identify(tiny_checkout) == before


def test_what_fails_once_for_another_reason_catches_nothing(tiny_checkout: Path) -> None:
    stumble = (
        "from pathlib import Path\n\n\ndef test_sum():\n    place = Path('stumbled')\n    if not place.exists():\n"
    )
    stumble += "        place.touch()\n        raise OSError('no space left')\n"
    (tiny_checkout / "tests" / "test_sum.py").write_text(stumble)
    assert try_fault(tiny_checkout, SUM, limit_seconds=60).outcome == "missed"
    (tiny_checkout / "tests" / "test_sum.py").write_text("def test_sum():\n    raise OSError('no space left')\n")
    assert try_fault(tiny_checkout, SUM, limit_seconds=60).outcome == "caught"


def test_tests_that_do_not_end_are_ended_and_are_no_answer(
    tiny_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "PATIENCE_SECONDS", 4)
    (tiny_checkout / "tests" / "test_sum.py").write_text("import time\n\n\ndef test_sum():\n    time.sleep(600)\n")
    result = try_fault(tiny_checkout, SUM, limit_seconds=2)
    assert result.outcome == "error"
    assert "had not ended" in result.detail


def test_a_text_that_stands_twice_is_not_planted(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text("a + b\na + b\n")
    assert SUM.plant(tmp_path) == "the old text stands 2 times in tiny.py, not once"
    assert (tmp_path / "tiny.py").read_text() == "a + b\na + b\n"


def test_results_are_taken_up_for_the_same_fault_tests_and_checkout_alone(tiny_checkout: Path) -> None:
    path = tiny_checkout / "results.json"
    checkout = identify(tiny_checkout, without=path)
    caught, error = (
        try_fault(tiny_checkout, fault, limit_seconds=60) for fault in (SUM, replace(UNNOTICED, old="a ** b"))
    )
    kept = Results(path, checkout=checkout)
    kept.keep(caught)
    kept.keep(error)
    again = Results(path, checkout=identify(tiny_checkout, without=path))
    assert again.find(SUM) == caught
    assert again.find(replace(SUM, tests=("tests",))) is None
    assert again.find(UNNOTICED) is None, "what had no answer is tried again"
    with pytest.raises(SetupError, match="another checkout"):
        Results(path, checkout="another")
