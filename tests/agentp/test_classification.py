"""Classes of columns: what belongs to a person says so, before it can leave for somebody who may not see it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from agentp.classification import CLASSES, DeclaredMart, read_classes, read_declared, read_marts
from agentp.errors import SetupError

PERSONAL = re.compile(
    r"(^|_)(name|names|first|last|surname|birthday|phone|phones|telephone|email|mail|address|chat|username|contact|text"
    r"|comment|comments|summary|note|notes|title|message|body|answer|feedback|review)(_|$)"
)
FREE = ("text", "jsonb", "json", "character varying", "varchar", "text[]")
"""Types that can hold anything."""
MART = """
models:
  - name: made_up
    columns:
      - name: tenant_id
        data_type: uuid
      - name: {name}
        data_type: {data_type}
        {more}
"""


def find_unclassified(marts: Iterable[DeclaredMart]) -> list[str]:
    """Return the columns that look like a person's, or could hold anything, and have no class."""
    return [
        f"{mart.name}.{column.name}"
        for mart in marts
        for column in mart.columns
        if column.data_type in FREE and column.sort is None
        and (PERSONAL.search(column.name) or column.data_type.startswith("json"))
    ]  # fmt: skip


def read_made_up(folder: Path, *, name: str, data_type: str = "text", more: str = "") -> list[DeclaredMart]:
    (folder / "_marts.yml").write_text(MART.format(name=name, data_type=data_type, more=more))
    (folder / "_marts_unit_tests.yml").write_text(
        "unit_tests: [{name: x, model: made_up}]\nmodels: [{name: not_read}]\n"
    )
    read_declared.cache_clear()
    return list(read_declared(folder, schema="dashboard").values())


def test_what_looks_like_a_persons_has_a_class() -> None:
    assert find_unclassified(read_marts().values()) == []


@pytest.mark.parametrize("name", ["client_name", "phone", "wish_comment", "final_summary", "chat_id", "message_text"])
def test_a_new_column_that_looks_like_a_persons_is_found(tmp_path: Path, name: str) -> None:
    assert find_unclassified(read_made_up(tmp_path, name=name)) == [f"made_up.{name}"]
    classified = read_made_up(tmp_path, name=name, more="config: {meta: {class: pii}}")
    assert [mart.name for mart in classified] == ["made_up"]
    assert [column.sort for column in classified[0].columns] == [None, "pii"]
    assert find_unclassified(classified) == []


def test_a_new_column_that_may_hold_anything_is_found(tmp_path: Path) -> None:
    assert find_unclassified(read_made_up(tmp_path, name="examples", data_type="jsonb")) == ["made_up.examples"]


@pytest.mark.parametrize(
    "more", ["config: {meta: {class: PII}}", "config: {meta: {class: [pii]}}", "meta: {class: pii}"]
)
def test_a_class_that_would_hide_nothing_is_refused(tmp_path: Path, more: str) -> None:
    with pytest.raises(SetupError, match=r"made_up\.phone"):
        read_made_up(tmp_path, name="phone", more=more)


def test_names_and_phones_of_clients_are_personal_in_every_mart() -> None:
    classes = read_classes()
    assert set(classes.values()) <= set(CLASSES)
    found = {column for mart in read_marts().values() for column in ((mart.name, each.name) for each in mart.columns)}
    people = {key for key in found if re.search(r"client_name$|phone$|chat_id$", key[1])}
    assert len(people) >= 13
    assert {classes.get(key) for key in people} == {"pii"}
    assert classes["dialogs", "message_text"] == classes["sessions", "summary"] == "text"
    assert classes["waitlist", "wish_comment"] == "text"
    assert classes["waitlist", "staff_name"] == "staff"
