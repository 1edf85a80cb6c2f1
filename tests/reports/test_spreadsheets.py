"""Spreadsheets: numbers are numbers, text is text, and no cell is a formula."""

from __future__ import annotations

import csv
import re
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import spreadsheets
from reports.defusing import FUSES, defuse
from reports.spreadsheets import Kind, Sheet, SheetColumn, write_csv, write_workbook
from reports.worksheets import CELL_LENGTH, CUT, fit_text
from tests.support.hostile import HOSTILE

KINDS: tuple[Kind, ...] = ("text", "integer", "decimal", "money", "percent", "day", "moment", "boolean")
NOTHING = (None, float("nan"), np.float64("nan"), pd.NA, pd.NaT, Decimal("NaN"))
MOSCOW = timezone(timedelta(hours=3))
NOON = datetime(2026, 2, 1, 12, 30, 5, tzinfo=MOSCOW)
SIGNS = tuple("=+-@＝＋－＠\t\r\n")


def make_sheet(rows: Any, *kinds: Kind, name: str = "table") -> Sheet:
    columns = [SheetColumn(title=f"{kind} {number}", kind=kind) for number, kind in enumerate(kinds)]
    return Sheet(name=name, title=name, columns=columns, rows=rows)


def read_csv(path: Path, *, delimiter: str = ",") -> list[list[str]]:
    """Read what stands under the header."""
    csv.field_size_limit(10**9)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))[1:]


def read_cells(path: Path, tab: int = 0) -> list[list[Any]]:
    """Read the cells that stand under the header."""
    return [list(row) for row in openpyxl.load_workbook(path).worksheets[tab].iter_rows(min_row=2)]


def read_values(path: Path, tab: int = 0) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in read_cells(path, tab)]


def write_both(folder: Path, sheet: Callable[[], Sheet]) -> tuple[Path, Path]:
    write_csv(folder / "table.csv", sheet())
    write_workbook(folder / "table.xlsx", [sheet()])
    return folder / "table.csv", folder / "table.xlsx"


def unescape(text: str | None) -> str:
    """Undo the one escape of XLSX that openpyxl leaves and Excel undoes."""
    return (text or "").replace("_x005F_", "_")


@pytest.mark.parametrize("is_mixed", [False, True], ids=["column of texts", "column of texts and numbers"])
def test_hostile_text_is_no_formula_in_csv_and_can_be_had_back(tmp_path: Path, is_mixed: bool) -> None:
    rows: list[Sequence[object]] = [(text, text) for text in HOSTILE]
    write_csv(tmp_path / "table.csv", make_sheet([*rows, *([(5, None)] if is_mixed else [])], "text", "text"))
    read = read_csv(tmp_path / "table.csv")[: len(rows)]
    assert [
        cell for row in read for cell in row if cell.lstrip(' \u00a0\u200b\ufeff\u202e\x01"').startswith(SIGNS)
    ] == []
    assert [FUSES.sub("", first) for first, _ in read] == list(HOSTILE)
    assert all(first == second for first, second in read)


def test_hostile_text_is_no_formula_where_another_sign_divides_cells(tmp_path: Path) -> None:
    write_csv(tmp_path / "table.csv", make_sheet([("name", text) for text in HOSTILE], "text", "text"))
    for delimiter in (";", "\t"):
        cells = [cell for row in read_csv(tmp_path / "table.csv", delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if re.match(r"[\s\"]*[=+\-@]", cell)] == []


def test_hostile_text_is_text_in_a_workbook(tmp_path: Path) -> None:
    write_workbook(tmp_path / "table.xlsx", [make_sheet([(text, text) for text in HOSTILE], "text", "text")])
    cells = read_cells(tmp_path / "table.xlsx")
    assert len(cells) == len(HOSTILE)
    for row, text in zip(cells, HOSTILE, strict=True):
        for cell in row:
            assert cell.data_type == ("s" if fit_text(text) else "n"), text
            assert cell.hyperlink is None
            assert unescape(cell.value) == fit_text(text)
    with ZipFile(tmp_path / "table.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert "<hyperlink" not in sheet
        assert ">_x005F_x0041_<" in sheet  # what Excel reads as the text that it is, and not as an A
        assert parts.namelist().count("xl/worksheets/_rels/sheet1.xml.rels") == 0


def test_a_workbook_loses_nothing_of_a_text_but_what_it_cannot_hold() -> None:
    assert fit_text("Ёлка <b> =1 🦄\t\n\x7f") == "Ёлка <b> =1 🦄\t\n\x7f"
    assert fit_text("a\x00\x01\x0b\x1f\ufffe\ud83db") == "ab"
    assert fit_text("a\r\nb\rc") == "a\nb\nc"


@pytest.mark.parametrize("letter", ["x", "ы", "🦄"])
def test_a_text_beyond_the_limit_of_excel_is_cut_and_says_so(letter: str) -> None:
    width = len(letter.encode("utf-16-le")) // 2
    fitting = letter * (CELL_LENGTH // width)
    assert fit_text(fitting) == fitting
    cut = fit_text(fitting + letter)
    assert cut.endswith(letter + CUT)
    assert CELL_LENGTH - 1 <= len(cut.encode("utf-16-le")) // 2 <= CELL_LENGTH


@given(
    st.text(alphabet=st.sampled_from([*"=+-@'\" ;,\t\r\na1", "＝", "\u200b", "\x01"]), max_size=12)
    | st.text(max_size=20)
)
def test_every_text_can_be_had_back_however_often_it_was_defused(text: str) -> None:
    assert FUSES.sub("", defuse(text)) == text
    assert FUSES.sub("", FUSES.sub("", defuse(defuse(text)))) == text
    assert not defuse(text).startswith(SIGNS)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("+79161234567", "'+79161234567"), ("\t=1", "'\t'=1"), (' "=1', "' \"=1"), ("＝1", "'＝1"),
        ("список:\n- один", "список:\n'- один"), ("Анна", "Анна"), ("5-6", "5-6"), ("it's = 5", "it's = 5"), ("", ""),
        ("'hello", "'hello"), ("79161234567", "79161234567"), ("a, -5", "a, -5"), ("— да", "— да"),
    ],
)  # fmt: skip
def test_defusing_touches_what_is_dangerous_and_nothing_else(text: str, written: str) -> None:
    assert defuse(text) == written


def test_a_csv_is_read_as_it_was_meant_by_python_and_by_pandas(tmp_path: Path) -> None:
    row = ('Анна, "Аня"\nвторая', -7, Decimal("0E-9"), Decimal("-1200.50"), 0.25, date(2026, 2, 1), NOON, True)
    write_csv(tmp_path / "table.csv", make_sheet([row, [None] * 8], *KINDS))
    raw = (tmp_path / "table.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 3
    assert read_csv(tmp_path / "table.csv") == [
        [row[0], "-7", "0.000000000", "-1200.50", "0.25", "2026-02-01", "2026-02-01T12:30:05+03:00", "true"],
        [""] * 8,
    ]
    frame = pd.read_csv(tmp_path / "table.csv", parse_dates=["moment 6"])
    assert frame["text 0"][0] == row[0]
    assert frame["moment 6"][0] == NOON
    assert frame["money 3"][0] == -1200.5


def test_a_workbook_holds_numbers_days_and_moments_as_such(tmp_path: Path) -> None:
    row = ("79161234567", -7, Decimal("0.1076"), Decimal("-1200.50"), 0.25, date(2026, 2, 1), NOON, True)
    write_workbook(tmp_path / "table.xlsx", [make_sheet([row], *KINDS)])
    cells = read_cells(tmp_path / "table.xlsx")[0]
    day, moment = datetime(2026, 2, 1), datetime(2026, 2, 1, 12, 30, 5)  # noqa: DTZ001
    assert [cell.value for cell in cells] == ["79161234567", -7, 0.1076, -1200.5, 0.25, day, moment, True]
    assert [cell.data_type for cell in cells] == ["s", "n", "n", "n", "n", "d", "d", "b"]
    formats = ["General", "0", "General", "#,##0.00", "0.0%", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "General"]
    assert [cell.number_format for cell in cells] == formats


@pytest.mark.parametrize("nothing", NOTHING, ids=lambda value: f"{type(value).__name__} {value}")
def test_nothing_is_an_empty_cell_of_every_kind(tmp_path: Path, nothing: object) -> None:
    paths = write_both(tmp_path, lambda: make_sheet([[nothing] * 8, [None] * 8], *KINDS))
    assert read_csv(paths[0]) == [[""] * 8] * 2
    assert [value for row in read_values(paths[1]) for value in row if value is not None] == []


def test_a_column_of_frames_is_written_like_one_of_plain_values(tmp_path: Path) -> None:
    def make() -> Sheet:
        row = (
            np.str_("=1"),
            np.int64(-7),
            np.float64(0.1),
            3.0,
            np.float64(1e-7),
            pd.Timestamp(NOON),
            pd.Timestamp(NOON),
        )
        return make_sheet([(*row, np.True_), (None, 7.0, None, None, None, None, None, None)], *KINDS)

    csv_path, workbook = write_both(tmp_path, make)
    first, second = read_csv(csv_path)
    assert first == ["'=1", "-7", "0.1", "3.0", "0.0000001", "2026-02-01", "2026-02-01T12:30:05+03:00", "true"]
    assert second[1] == "7"
    day, moment = datetime(2026, 2, 1), datetime(2026, 2, 1, 12, 30, 5)  # noqa: DTZ001
    assert read_values(workbook)[0] == ["=1", -7, 0.1, 3, 1e-7, day, moment, True]


def test_a_value_of_another_type_than_its_column_is_defused_text(tmp_path: Path) -> None:
    csv_path, workbook = write_both(tmp_path, lambda: make_sheet([["=1+1"] * 8, ["@x"] * 8], *KINDS))
    assert read_csv(csv_path) == [["'=1+1"] * 8, ["'@x"] * 8]
    assert {cell.data_type for row in read_cells(workbook) for cell in row} == {"s"}


def test_values_that_excel_cannot_hold_as_numbers_are_text_to_the_letter(tmp_path: Path) -> None:
    before = datetime(1899, 5, 1, 10, 0, tzinfo=UTC)
    row = (9_007_199_254_740_993, Decimal("Infinity"), Decimal("1E+400"), date(1, 1, 1), before, date(9999, 12, 31))
    kinds: tuple[Kind, ...] = ("integer", "decimal", "money", "day", "moment", "day")
    csv_path, workbook = write_both(tmp_path, lambda: make_sheet([row], *kinds))
    values = read_values(workbook)[0]
    assert values[:2] == ["9007199254740993", "Infinity"]
    assert values[2] == "1E+400"
    assert values[3:5] == ["0001-01-01", "1899-05-01 10:00:00"]
    assert values[5] == datetime(9999, 12, 31)  # noqa: DTZ001
    assert read_csv(csv_path)[0][2] == "1" + "0" * 400


def test_the_header_stays_in_sight_and_filters(tmp_path: Path) -> None:
    sheet = make_sheet([("a", 1), ("b", 2)], "text", "integer", name="visits")
    assert write_workbook(tmp_path / "table.xlsx", [sheet], title="Visits") == 2
    book = openpyxl.load_workbook(tmp_path / "table.xlsx")
    tab = book["visits"]
    assert [cell.value for cell in tab[1]] == ["text 0", "integer 1"]
    assert tab.freeze_panes == "A2"
    assert tab.auto_filter.ref == "A1:B3"
    assert book.properties.title == "Visits"


def test_rows_beyond_what_a_tab_holds_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "ROWS_A_TAB", 5)
    monkeypatch.setattr(spreadsheets, "ROWS_AT_ONCE", 3)
    for count, tabs in ((0, [0]), (4, [4]), (5, [4, 1]), (9, [4, 4, 1])):
        rows: Iterator[tuple[int]] = ((number,) for number in range(count))
        assert write_workbook(tmp_path / "table.xlsx", [make_sheet(rows, "integer")]) == count
        book = openpyxl.load_workbook(tmp_path / "table.xlsx")
        assert [tab.max_row - 1 for tab in book.worksheets] == tabs
        assert [cell.value for tab in book for row in tab.iter_rows(min_row=2) for cell in row] == list(range(count))
        assert book.sheetnames == ["table", "table (2)", "table (3)"][: len(tabs)]


def test_tabs_have_names_that_excel_allows_each_once(tmp_path: Path) -> None:
    names = ["a/b:c*d?[e]", "A B C D  E", "'quoted'", "history", "x" * 40, "x" * 35, "", "🦄" * 20, "Ёлка", "ёлка"]
    write_workbook(tmp_path / "table.xlsx", [make_sheet([(1,)], "integer", name=name) for name in names])
    found = openpyxl.load_workbook(tmp_path / "table.xlsx").sheetnames
    assert len({name.casefold() for name in found}) == len(names)
    for name in found:
        assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
        assert not re.search(r"[\[\]:*?/\\]|^'|'$", name)
        assert name.casefold() != "history"


def test_equal_rows_make_an_equal_workbook(tmp_path: Path) -> None:
    for name in ("one", "two"):
        sheet = make_sheet([("a", NOON)], "text", "moment")
        write_workbook(tmp_path / name, [sheet], created=datetime(2026, 2, 1))  # noqa: DTZ001
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("write", [write_csv, lambda path, sheet: write_workbook(path, [sheet])], ids=["csv", "xlsx"])
def test_a_file_is_whole_or_as_it_was_before(tmp_path: Path, write: Callable[[Path, Sheet], int]) -> None:
    path = tmp_path / "new" / "table"
    write(path, make_sheet([(1,)], "integer"))
    before = path.read_bytes()

    def fail() -> Iterator[tuple[int]]:
        yield from ((number,) for number in range(5_000))
        assert path.read_bytes() == before
        raise ConnectionError("the server went away")

    with pytest.raises(ConnectionError):
        write(path, make_sheet(fail(), "integer"))
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == ["table"]


@pytest.mark.parametrize("write", [write_csv, lambda path, sheet: write_workbook(path, [sheet])], ids=["csv", "xlsx"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, write: Callable[[Path, Sheet], int]) -> None:
    def measure(count: int) -> int:
        rows = ((f"{number} " * 20, number, NOON) for number in range(count))
        tracemalloc.start()
        write(tmp_path / "table", make_sheet(rows, "text", "integer", "moment"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure(10)
    assert measure(12_000) < 1.5 * measure(3_000)
