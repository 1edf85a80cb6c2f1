"""What people read about the rules is what the rules say."""

from __future__ import annotations

from pathlib import Path

from expectations.documentation import TARGET, render_standard
from expectations.standard import list_rules
from systems.agent_p.standard import PROBLEMS
from tests.support.marts import Workshop


def test_the_page_of_the_standard_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == render_standard(), "run `make docs`"


def test_each_of_the_five_problems_is_counted_by_one_rule() -> None:
    counted = [rule.problem for rule in list_rules() if rule.problem]
    assert sorted(counted) == sorted(PROBLEMS)
    assert len(counted) == 5


def test_data_docs_show_every_rule_and_name_failing_rows_by_key_alone(workshop: Workshop, tmp_path: Path) -> None:
    workshop.add_tenant(metadata={"yclients": {"user_token": "enc:canary-token"}})
    workshop.add_client(full_name="Мария Канарейка", phone="79990001122")
    workshop.add_message(17, "2026-02-01 10:00+00", message="canary of a text", role="robot")
    workshop.check(docs=tmp_path / "site")
    pages = {path: path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html")}
    assert (tmp_path / "site" / "index.html") in pages
    everything = "\n".join(pages.values())
    assert [rule.rule_id for rule in list_rules() if rule.rule_id not in everything] == []
    assert "role is user or assistant." in everything
    assert '"17"' in everything or ">17<" in everything
    password = workshop.url.split(":")[2].split("@")[0]
    for secret in ("canary-token", "Канарейка", "79990001122", "canary of a text", password):
        assert secret not in everything
