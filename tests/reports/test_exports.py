"""`agentp export`: every row of one moment, typed, and nothing that the audience may not see."""

from __future__ import annotations

import csv
import hashlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from pyarrow import parquet

from agentp.classification import read_classes, read_declared, read_marts
from agentp.errors import SetupError
from agentp.settings import Settings
from reports import exports
from reports.export_columns import ExportColumn
from reports.export_queries import ExportedMart
from reports.exports import ExportReport, export_marts
from reports.parquet import write_parquet
from tests.agentp.conftest import Answer
from tests.support.hostile import HOSTILE
from tests.support.marts import Workshop, make_id

MARK = "Zebulon"
"""A word that stands in all that people of the salons are called and wrote, and nowhere else."""
PHONE = "99955"
FORMATS = ("csv", "xlsx", "parquet")


def fill(workshop: Workshop) -> None:
    """Two salons with clients, dialogs, bookings ahead and matching wishes, all marked; two more of one short name."""
    for tenant in ("one", "two"):
        workshop.add_tenant(tenant, slug="twins")
    for number, tenant in enumerate(("north", "south")):
        workshop.add_tenant(tenant, slug=f"{tenant}-nails")
        for place in range(3):
            client = f"{tenant} client {place}"
            workshop.add_client(tenant, client, full_name=f"={MARK} {client}", phone=f"+{PHONE}{number}{place}")
            session = f"{tenant} session {place}"
            workshop.add_session(
                session, f"2026-02-0{place + 1} 10:00+00", f"2026-02-0{place + 1} 10:20+00",
                tenant=tenant, client=client, final_summary=f"+{MARK} came", final_status="done",
                booking_id=f"{number}{place}", booking_status="confirmed", booking_amount=1200.5,
                booking_currency="RUB", booking_datetime=f"2026-03-0{place + 1} 10:00+00",
                meta={"services_selected": ["7"], "staff_id": "5", "selected_datetime": "2026-03-01T10:00:00"},
            )  # fmt: skip
            workshop.add_message(
                number * 100 + place, f"2026-02-0{place + 1} 10:00+00", session=session, tenant=tenant, client=client,
                message=f"@{MARK} wants;\n=1+1",
            )  # fmt: skip
        wish = {"service_id": "7", "service_title": "Nails", "date": "2026-03-02", "staff_name": "Anna"}
        people = {"client_name": f"={MARK}", "client_phone": f"+{PHONE}"}
        workshop.insert("wishlist_v2", [{
            "tenant_id": make_id(tenant), "user_id": make_id(f"{tenant} client 0"), "item_type": "slot_waiting",
            "item_id": "7", "source": "bot", "comment": f"-{MARK}", "meta": wish | people, "status": "pending",
        }])  # fmt: skip


@pytest.fixture(scope="module")
def built(make_database: Callable[[str | None], str], built_template: str, home: Path) -> Workshop:
    """A database with the two salons, built; no test changes it."""
    url = make_database(built_template)
    workshop = Workshop(url=url, settings=Settings(home=home, database_url=url))
    fill(workshop)
    workshop.build()
    workshop.execute(
        "insert into dashboard.predictions (tenant_id, booking_id, risk_score, risk_factors, predicted_at) "
        "select tenant_id, booking_id, 0.5, '{}', '2026-02-28' from dashboard.visits"
    )
    return workshop


def count_rows(workshop: Workshop) -> dict[str, int]:
    return {name: workshop.execute(f"select count(*) as n from dashboard.{name}")[0]["n"] for name in read_marts()}


def read_file(path: Path) -> pd.DataFrame:
    """Read a file as those who get it do."""
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    if path.suffix == ".xlsx":
        rows = list(openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True))
        return pd.DataFrame(rows[1:], columns=rows[0])
    return parquet.read_table(path).to_pandas()


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_mart_has_all_its_rows_in_its_file(built: Workshop, tmp_path: Path, file_format: str) -> None:
    report = export_marts(built.url, tmp_path, file_format=file_format, audience="owner")
    counted = count_rows(built)
    assert counted["dialogs"] == counted["sessions"] == counted["clients"] == counted["risky_slots"] == 6
    assert counted["waitlist"] == counted["waitlist_matches"] == 2
    assert {file.mart: file.rows for file in report.files} == counted
    assert {file.mart: len(read_file(tmp_path / file.file)) for file in report.files} == counted
    for file in report.files:
        assert list(read_file(tmp_path / file.file).columns) == list(file.columns)
        assert file.sha256 == hashlib.sha256((tmp_path / file.file).read_bytes()).hexdigest()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*(f"{name}.{file_format}" for name in counted), "manifest.json"}


@pytest.mark.parametrize("file_format", FORMATS)
def test_analysts_get_no_column_and_no_word_of_people(built: Workshop, tmp_path: Path, file_format: str) -> None:
    export_marts(built.url, tmp_path / "analyst", file_format=file_format)
    export_marts(built.url, tmp_path / "owner", file_format=file_format, audience="owner")
    told = {}
    for audience in ("analyst", "owner"):
        frames = {path.stem: read_file(path) for path in (tmp_path / audience).glob(f"*.{file_format}")}
        told[audience] = {
            (name, column) for name, frame in frames.items() for column in frame
            if frame[column].astype(str).str.contains(f"{MARK}|{PHONE}").any()
        }  # fmt: skip
        hidden = {key for key, sort in read_classes().items() if sort in ("pii", "text")}
        shown = {(name, column) for name, frame in frames.items() for column in frame} & hidden
        assert shown == (set() if audience == "analyst" else hidden)
    assert told["analyst"] == set()
    assert told["owner"] <= hidden
    assert {mart for mart, _ in told["owner"]} >= {"clients", "sessions", "dialogs", "waitlist", "waitlist_matches"}


def test_the_manifest_says_what_the_files_are(built: Workshop, tmp_path: Path) -> None:
    report = export_marts(built.url, tmp_path, marts=["clients"], tenants=["south-nails"])
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    [last] = built.execute("select max(finished_at) as built_at from build.runs where outcome = 'complete'")
    assert manifest["format"] == "csv"
    assert manifest["audience"] == "analyst"
    assert manifest["as_of"] == "2026-02-28"
    assert datetime.fromisoformat(manifest["built_at"]) == last["built_at"]
    assert manifest["tenants"] == [str(make_id("south"))]
    assert manifest["files"][0]["left_out"] == ["client_name", "phone", "phone_key"]
    assert manifest["files"][0]["rows"] == report.files[0].rows == 3


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_same_marts_make_the_same_files(built: Workshop, tmp_path: Path, file_format: str) -> None:
    one = export_marts(built.url, tmp_path, file_format=file_format)
    assert export_marts(built.url, tmp_path, file_format=file_format) == one


@pytest.mark.parametrize("tenant", ["south-nails", str(make_id("south")), str(make_id("south")).upper()])
def test_a_tenant_is_named_by_its_short_name_or_its_id(built: Workshop, tmp_path: Path, tenant: str) -> None:
    export_marts(built.url, tmp_path, tenants=[tenant], file_format="parquet")
    for path in tmp_path.glob("*.parquet"):
        assert set(read_file(path)["tenant_id"]) <= {str(make_id("south"))}, path.stem
    assert len(read_file(tmp_path / "clients.parquet")) == 3


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"file_format": "pdf"}, ("pdf", "parquet", "csv", "xlsx")),
        ({"audience": "everybody"}, ("everybody", "owner", "analyst")),
        ({"marts": ["clients", "no_such"]}, ("no_such", "sessions", "win_back")),
        ({"marts": ["outbox"]}, ("outbox",)),
        ({"tenants": ["east"]}, ("east", "north-nails", "south-nails")),
        ({"tenants": ["' or true --"]}, ("' or true --", "south-nails")),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    built: Workshop, tmp_path: Path, asked: dict[str, Any], says: tuple[str, ...]
) -> None:
    with pytest.raises(SetupError) as caught:
        export_marts(built.url, tmp_path / "out", **asked)
    for part in says:
        assert part in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_short_name_that_two_salons_have_names_neither(built: Workshop, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=str(make_id("two"))):
        export_marts(built.url, tmp_path, tenants=["twins"])
    assert (
        export_marts(built.url, tmp_path, tenants=[str(make_id("two"))], marts=["tenant_settings"]).files[0].rows == 1
    )


def test_a_database_without_marts_is_told_to_be_built(raw_workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="agentp build") as caught:
        export_marts(raw_workshop.url, tmp_path, tenants=["salon"])
    assert "clients" in caught.value.message


def test_an_export_that_died_leaves_whole_files_and_no_manifest(built: Workshop, tmp_path: Path) -> None:
    export_marts(built.url, tmp_path, marts=["clients", "sessions"])
    before = (tmp_path / "sessions.csv").read_bytes()

    def die(mart: str, number: int) -> None:
        if number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_marts(built.url, tmp_path, marts=["clients", "sessions"], report=die)
    assert (tmp_path / "sessions.csv").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"clients.csv", "sessions.csv"}


def test_memory_does_not_grow_with_the_rows(built: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(rows: int, file_format: str) -> int:
        monkeypatch.setattr(exports, "_read_rows", lambda *_: ((f"{number}", "x" * 50) for number in range(rows)))
        monkeypatch.setattr("reports.parquet.ROWS_A_GROUP", 4_000)
        mart = ExportedMart(
            name="made_up", left_out=(), key=(),
            columns=tuple(ExportColumn(name=name, data_type="text") for name in ("one", "two")),
        )  # fmt: skip
        tracemalloc.start()
        with psycopg.connect(built.url) as connection:
            assert exports._write_mart(connection, mart, [], tmp_path / f"made_up.{file_format}", None) == rows
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    for file_format in FORMATS:
        measure(10, file_format)
        assert measure(24_000, file_format) < 1.5 * measure(6_000, file_format), file_format
    assert parquet.ParquetFile(tmp_path / "made_up.parquet").num_row_groups == 2


RICH = (
    "tenant_id", "place", "note", "big", "exact", "wild", "share", "day", "at", "noted_at", "opens", "is_open", "facts",
    "list",
)  # fmt: skip


@pytest.fixture
def rich_mart(raw_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A mart with every type in the place of `clients`, and one beside it; nothing has to be built for them."""
    raw_workshop.execute("create schema dashboard")
    raw_workshop.execute("create table dashboard.sessions (tenant_id uuid)")
    raw_workshop.execute(
        "create table dashboard.clients (tenant_id uuid, place int, note text, big bigint, exact numeric, "
        "wild numeric, share float8, day date, at timestamptz, noted_at timestamp, opens time, is_open boolean, "
        "facts jsonb, list text[])"
    )
    columns = tuple(f"{{name: {name}, data_type: x}}" for name in RICH)
    folder = raw_workshop.settings.home / "declared"
    folder.mkdir(exist_ok=True)
    (folder / "_marts.yml").write_text(
        f"models: [{{name: clients, columns: [{', '.join(columns)}]}}, "
        "{name: sessions, columns: [{name: tenant_id, data_type: uuid}]}]"
    )
    declared = read_declared(folder, schema="dashboard")
    monkeypatch.setattr("reports.export_queries.read_marts", lambda: declared)
    return raw_workshop


def add_rich_row(workshop: Workshop, **values: Any) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    with psycopg.connect(workshop.url) as connection:
        connection.execute(
            sql.SQL("insert into dashboard.clients (tenant_id, {}) values (gen_random_uuid(), {})").format(
                names, sql.SQL(", ").join(sql.Placeholder() * len(values))
            ),
            list(values.values()),
        )


def read_rich(workshop: Workshop, folder: Path, file_format: str) -> list[dict[str, Any]]:
    export_marts(workshop.url, folder, file_format=file_format, marts=["clients"])
    if file_format == "csv":
        with (folder / "clients.csv").open(encoding="utf-8-sig", newline="") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
    elif file_format == "xlsx":
        rows = read_file(folder / "clients.xlsx").to_dict("records")
    else:
        rows = parquet.read_table(folder / "clients.parquet").to_pylist()
    return sorted(rows, key=lambda row: int(row["place"]))


def test_all_files_show_one_moment(rich_mart: Workshop, tmp_path: Path) -> None:
    rich_mart.execute("insert into dashboard.sessions select gen_random_uuid() from generate_series(1, 6)")

    def change(mart: str, number: int) -> None:
        if number == 1:
            rich_mart.execute("delete from dashboard.sessions")

    report = export_marts(rich_mart.url, tmp_path, marts=["clients", "sessions"], report=change)
    assert [file.rows for file in report.files] == [0, 6]
    assert rich_mart.execute("select * from dashboard.sessions") == []


def test_a_column_that_the_project_does_not_declare_is_shown_to_nobody(rich_mart: Workshop, tmp_path: Path) -> None:
    add_rich_row(rich_mart, place=1)
    rich_mart.execute("alter table dashboard.clients add column birthday text default 'hush'")
    report = export_marts(rich_mart.url, tmp_path, marts=["clients"], audience="owner")
    assert "birthday" not in report.files[0].columns
    assert "hush" not in (tmp_path / "clients.csv").read_text(encoding="utf-8")


def test_a_mart_that_lacks_a_declared_column_is_named_with_it(rich_mart: Workshop, tmp_path: Path) -> None:
    rich_mart.execute("alter table dashboard.clients drop column note")
    with pytest.raises(SetupError, match=r"dashboard\.clients was built without note"):
        export_marts(rich_mart.url, tmp_path)


def test_parquet_keeps_types_and_exact_values(rich_mart: Workshop, tmp_path: Path) -> None:
    values = {
        "place": -1, "note": "=1+1", "big": 2**62, "exact": Decimal("-1200.5000000001"), "share": 0.1,
        "day": date(2026, 2, 1), "at": datetime(2026, 2, 1, 12, 30, 5, 1, tzinfo=UTC),
        "noted_at": datetime(2026, 2, 1, 12, 30), "opens": time(9, 30), "is_open": False,  # noqa: DTZ001
    }  # fmt: skip
    add_rich_row(rich_mart, **values, wild="0.12345678901", facts='{"RUB": 1.50}', list="{a,b}")
    (row,) = read_rich(rich_mart, tmp_path, "parquet")
    assert {name: row[name] for name in values} == values
    assert row["facts"] == '{"RUB": 1.50}'
    assert row["wild"] == "0.12345678901"
    schema = parquet.read_schema(tmp_path / "clients.parquet")
    assert schema.field("exact").type == pa.decimal128(38, 10)
    assert schema.field("wild").type == schema.field("tenant_id").type == pa.string()
    assert schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("day").type == pa.date32()
    assert schema.field("place").type == pa.int32()


@pytest.mark.parametrize("file_format", FORMATS)
def test_moments_that_no_reader_knows_are_empty(rich_mart: Workshop, tmp_path: Path, file_format: str) -> None:
    moments = ["infinity", "-infinity", "4714-11-24 00:00+00 BC", "294276-12-30 00:00+00"]
    for number, moment in enumerate(moments):
        day = "infinity" if number % 2 else "-infinity"
        add_rich_row(rich_mart, place=number, at=moment, noted_at=moment, day=day, opens="24:00", exact="NaN")
    add_rich_row(rich_mart, place=9, at="9999-12-31 23:59:59.999999+00", day="0001-01-01")
    *empty, full = read_rich(rich_mart, tmp_path, file_format)
    for row in empty:
        for column in ("at", "noted_at", "day", "opens", "exact"):
            assert row[column] in (None, "") or pd.isna(row[column]), (column, row)
    assert str(full["at"]).startswith("9999-12-31")
    assert str(full["day"]) == "0001-01-01"


@pytest.mark.parametrize(
    "amount", ["Infinity", "-Infinity", "1e1000", "0." + "0" * 500 + "1", "12345678901234567890123456789"]
)
def test_a_number_without_a_place_is_text_in_parquet(rich_mart: Workshop, tmp_path: Path, amount: str) -> None:
    add_rich_row(rich_mart, place=1, wild="1.50")
    add_rich_row(rich_mart, place=2, wild=amount)
    rows = read_rich(rich_mart, tmp_path, "parquet")
    assert rows[0]["wild"] == "1.50"
    assert Decimal(rows[1]["wild"]) == Decimal(amount)
    for file_format in ("csv", "xlsx"):
        assert len(read_rich(rich_mart, tmp_path, file_format)) == 2


@pytest.mark.parametrize("file_format", FORMATS)
def test_hostile_text_of_a_mart_is_text_in_every_file(rich_mart: Workshop, tmp_path: Path, file_format: str) -> None:
    with psycopg.connect(rich_mart.url) as connection:
        connection.cursor().executemany(
            "insert into dashboard.clients (tenant_id, place, note) values (gen_random_uuid(), %s, %s)",
            list(enumerate(HOSTILE)),
        )
    rows = read_rich(rich_mart, tmp_path, file_format)
    assert len(rows) == len(HOSTILE)
    if file_format == "parquet":
        assert [row["note"] for row in rows] == list(HOSTILE)
    elif file_format == "csv":
        assert [row["note"] for row in rows if row["note"].startswith(tuple("=+-@＝＋－＠\t\r\n"))] == []


def test_a_parquet_is_written_again_when_a_number_does_not_fit(tmp_path: Path) -> None:
    columns = [ExportColumn(name="wild", data_type="numeric"), ExportColumn(name="exact", data_type="numeric(10,2)")]
    reads: list[int] = []

    def read() -> Iterator[tuple[Decimal, Decimal]]:
        reads.append(1)
        yield from ((Decimal(number), Decimal("1.5")) for number in range(5_000))
        yield Decimal("1e-11"), Decimal("2")

    assert write_parquet(tmp_path / "x.parquet", columns, read) == 5_001
    assert len(reads) == 2
    assert parquet.read_schema(tmp_path / "x.parquet").types == [pa.string(), pa.decimal128(38, 10)]


def test_the_command_says_what_it_wrote_and_for_whom(
    run_command: Callable[..., Answer], built: Workshop, tmp_path: Path
) -> None:
    options = ("--out", str(tmp_path), "--format", "xlsx", "--mart", "clients", "--mart", "sessions")
    answer = run_command("export", *options, "--tenant", "north-nails", database_url=built.url)
    assert answer.code == 0, answer.err
    for part in ("clients.xlsx", "sessions.xlsx", "client_name, phone", "As of 2026-02-28", "without names"):
        assert part in answer.out
    assert MARK not in answer.out
    refused = run_command("export", "--out", str(tmp_path), "--mart", "no_such", database_url=built.url)
    assert refused.code == 2
    assert "no_such" in refused.err
    taken = run_command("export", "--out", str(tmp_path / "clients.xlsx"), database_url=built.url)
    assert taken.code == 2
    assert "--out" in taken.err


def test_a_report_is_what_the_manifest_holds(built: Workshop, tmp_path: Path) -> None:
    report = export_marts(built.url, tmp_path, marts=["peers"])
    assert isinstance(report, ExportReport)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [file["file"] for file in manifest["files"]] == [file.file for file in report.files] == ["peers.csv"]
