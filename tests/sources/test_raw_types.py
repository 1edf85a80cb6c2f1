"""A raw column of another type is told of by name, with what it is, should be, and the cure, before any model."""

from __future__ import annotations

import pytest

from agentp.errors import RawTablesError
from agentp.pipeline import open_build
from systems.agent_p import SYSTEM
from tests.agentp.conftest import RunCommand
from tests.agentp.conftest import run_command as run_command
from tests.support.marts import Workshop

SAID = "clients_v2.telegram_chat_id is text and should be bigint"
CURE = "alter table public.clients_v2 alter column telegram_chat_id type bigint using telegram_chat_id::text::bigint"


def test_doctor_migrate_and_build_name_a_retyped_column(run_command: RunCommand, workshop: Workshop) -> None:
    workshop.add_tenant()
    workshop.add_client("salon", "client", telegram_chat_id=777)
    workshop.execute("drop index if exists agentp_clients_telegram")
    workshop.execute("alter table clients_v2 alter column telegram_chat_id type text using telegram_chat_id::text")
    for command in ("doctor", "migrate", "build"):
        answer = run_command(command, database_url=workshop.url)
        assert answer.code == 2, command
        assert SAID in answer.out + answer.err, command
        assert CURE in answer.out + answer.err, command
        assert "have the standard shape" not in answer.out
    workshop.execute(CURE)
    assert run_command("migrate", database_url=workshop.url).code == 0
    with open_build(workshop.url):
        pass


def test_every_declared_column_is_compared(workshop: Workshop) -> None:
    for table, columns in SYSTEM.columns.items():
        for column in columns.values():
            other = "date" if column.type != "date" else "text"
            workshop.execute(f"create table copied (like public.{table})")
            workshop.execute(f"alter table public.{table} rename to kept")
            workshop.execute(f"alter table copied rename to {table}")
            workshop.execute(f"alter table {table} drop column {column.name}")
            workshop.execute(f"alter table {table} add column {column.name} {other}")
            said = rf"{table}\.{column.name} is {other} and should be {column.type}"
            with pytest.raises(RawTablesError, match=said), open_build(workshop.url):
                pass
            workshop.execute(f"drop table {table}")
            workshop.execute(f"alter table kept rename to {table}")


def test_one_kind_of_text_is_as_good_as_another(workshop: Workshop) -> None:
    workshop.execute("alter table clients_v2 alter column phone type varchar(40)")
    with open_build(workshop.url):
        pass
