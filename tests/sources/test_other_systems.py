"""What the sources' engine promises of any system that declares itself, tried on a toy one (tests/toy)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from agentp.database import open_connection
from agentp.errors import LoadError, RawTablesError, SetupError
from sources.declaration import describe_columns
from sources.exports import load_exports
from sources.exports.folder import find_exports
from sources.late_binding import prepare_raw_views
from sources.migrations import apply_migrations
from sources.raw_tables import require_raw_tables, require_some_raw_table
from sources.sight import find_hidden_tables
from systems.registry import get_main_system, list_systems
from systems.system import COLUMNS
from tests.toy import SYSTEM

Connection = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def only_toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the toy system on, and no other."""
    monkeypatch.setenv("AGENTP_SYSTEMS", "tests.toy")


@pytest.fixture(scope="module")
def migrated_url(make_database: Callable[[str | None], str]) -> str:
    """Return the URL of a database with the toy's tables."""
    url = make_database(None)
    with open_connection(url, autocommit=True) as connection:
        apply_migrations(connection, SYSTEM)
    return url


@pytest.fixture
def database(migrated_url: str) -> Iterator[Connection]:
    """Yield a connection whose transaction is taken back."""
    with open_connection(migrated_url) as connection:
        # Within a transaction of its owner's a load commits nothing.
        connection.execute("select 1")
        yield connection
        connection.rollback()


def write_folder(folder: Path, **files: str) -> Path:
    """Write CSV files named after their tables; two underscores are a dot."""
    for name, text in files.items():
        (folder / f"{name.replace('__', '.')}.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_file_of_columns_says_what_the_migrations_make_whatever_the_types(
    open_database: Callable[[str | None], str],
) -> None:
    with open_connection(open_database(None), autocommit=True) as connection:
        described = describe_columns(connection, SYSTEM)
    assert described == (SYSTEM.folder / COLUMNS).read_text(encoding="utf-8")
    for line in (
        "orders,tags,text[],true", 'orders,price,"numeric(10,2)",true', "orders,weight,double precision,true",
        "orders,paid_at,timestamp(3),true", "events,order,varchar(36),true", "events,lost_order,varchar(36),false",
    ):  # fmt: skip
        assert line in described.splitlines()


def test_a_folder_is_loaded_twice_and_what_points_at_nothing_is_kept(database: Connection, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path,
        brands="id,title\nb1,One\n",
        orders='id,brand_id,tags,price\no1,b1,"{a,""b c""}",10.50\n',
        events="id,brand_id,order\n1,b1,o1\n2,b1,o2\n",
    )
    report = load_exports(database, folder)
    assert [(table.table, table.rows_inserted) for table in report.tables] == [
        ("brands", 1),
        ("orders", 1),
        ("events", 2),
    ]
    assert report.warnings == ("events: 1 rows point at no row of orders; their value is kept in lost_order",)
    assert database.execute('select id, "order", lost_order from toy_raw.events order by 1').fetchall() == [
        (1, "o1", None), (2, None, "o2")
    ]  # fmt: skip
    assert database.execute("select tags from toy_raw.orders").fetchall() == [(["a", "b c"],)]
    assert sum(table.rows_inserted + table.rows_updated for table in load_exports(database, folder).tables) == 0


def test_a_bad_row_is_refused_with_its_place(database: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, brands="id,title\nb1,One\n", orders="id,brand_id,price\no1,b1,ten\n")
    with pytest.raises(LoadError, match=r"orders\.csv, line 2.*price"):
        load_exports(database, folder)


def test_views_read_columns_late_also_reserved_names_and_arrays(
    open_database: Callable[[str | None], str], migrated_url: str
) -> None:
    with open_connection(open_database(str(conninfo_to_dict(migrated_url)["dbname"])), autocommit=True) as database:
        read_through_views(database)


def read_through_views(database: Connection) -> None:
    """Read rows by the views, before and after a column goes."""
    database.execute("create schema staging")
    prepare_raw_views(database)
    database.execute("insert into toy_raw.brands (id, title) values ('b1', 'One')")
    database.execute("insert into toy_raw.orders (id, brand_id, tags, price) values ('o1', 'b1', '{x}', 1.5)")
    database.execute("insert into toy_raw.events (brand_id, \"order\") values ('b1', 'o1')")
    assert database.execute('select "order" from staging.toy__events').fetchall() == [("o1",)]
    assert database.execute("select tags, price from staging.toy__orders").fetchall()[0][0] == ["x"]
    database.execute("alter table toy_raw.orders drop column tags")
    prepare_raw_views(database)
    assert database.execute("select tags from staging.toy__orders").fetchall() == [(None,)]


def test_what_is_missing_or_retyped_is_told_with_its_schema(database: Connection) -> None:
    require_raw_tables(database)
    database.execute("alter table toy_raw.orders alter column weight type text")
    with pytest.raises(RawTablesError, match=r"orders\.weight is text and should be double precision") as refusal:
        require_raw_tables(database)
    assert "alter table toy_raw.orders" in refusal.value.cure
    database.execute("alter table toy_raw.orders drop column weight")
    with pytest.raises(RawTablesError, match=r"lacks orders\.weight"):
        require_raw_tables(database)
    database.execute("drop schema toy_raw cascade")
    with pytest.raises(RawTablesError, match=r"none of the raw tables \(brands, orders, events\)"):
        require_some_raw_table(database)


def test_rows_that_row_security_may_hide_are_told_of(database: Connection) -> None:
    database.execute("alter table toy_raw.orders enable row level security")
    database.execute("create role toys nologin")
    database.execute("grant usage on schema toy_raw to toys; grant select on all tables in schema toy_raw to toys")
    database.execute("set local role toys")
    assert [(found.schema, found.table) for found in find_hidden_tables(database)] == [("toy_raw", "orders")]


def test_a_file_says_whose_table_it_is_where_two_systems_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTP_SYSTEMS", "agent_p, tests.toy")
    assert [system.name for system in list_systems()] == ["agent_p", "toy"]
    assert get_main_system().name == "agent_p"
    write_folder(tmp_path, toy__orders="id\n", brands="id\n", tenants_v2="id\n")
    assert [(export.system.name, export.table) for export in find_exports(tmp_path)] == [
        ("agent_p", "tenants_v2"), ("toy", "brands"), ("toy", "orders")
    ]  # fmt: skip


def test_a_system_that_there_is_not_is_refused_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTP_SYSTEMS", "agent_p,salons")
    with pytest.raises(SetupError, match="names salons") as refusal:
        list_systems()
    assert "Known are agent_p" in refusal.value.cure
    monkeypatch.setenv("AGENTP_SYSTEMS", "agent_p;")
    with pytest.raises(SetupError, match="AGENTP_SYSTEMS is not valid"):
        list_systems()
