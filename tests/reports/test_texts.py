"""What pages say: both languages say the same things, and every word that marts may hold has a text."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
import yaml

from agentp.settings import DBT_PROJECT
from reports.books import CHAIN_PAGES, CHAIN_TEXTS, SALON_PAGES
from reports.charts import build_specifications
from reports.frames.funnel import STEPS
from reports.pages.overview import SHOWN
from reports.tables import get_title
from reports.texts import LANGUAGES, read_texts
from tests.reports.editions import EDITIONS, PAGES, build_page

ROOT = Path(__file__).resolve().parents[2]
RU, EN = (read_texts(language) for language in LANGUAGES)
FORMS = ("one", "few", "many", "other")

ACCEPTED = {
    ("sessions", "drop_off_stage"): "stage", ("clients", "lifecycle"): "lifecycle",
    ("retention", "measure"): "retention", ("visit_rates", "measure"): "visit_rate",
    ("standard_problems", "problem"): "problem", ("restatements", "reason"): "reason",
}  # fmt: skip
"""Columns of marts with accepted values that pages show as words, and the key of their texts."""
KNOWN_WORDS = {
    # The data standard's rules sessions.final_status_known, …final_intent_known, …channel_known and wishes.
    "channel": ("telegram", "whatsapp", "unknown", "*"), "result": ("booked", "cancelled", "unknown"),
    "funnel.step": tuple(step for step, _, _ in STEPS), "funnel.before": tuple(step for step, _, _ in STEPS[1:]),
    "boolean": ("true", "false"),
}  # fmt: skip
"""Words that no mart's YAML lists."""


def list_placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def read_accepted(mart: str, column: str) -> list[str]:
    """The values that the YAML beside a mart accepts in a column."""
    for path in sorted((DBT_PROJECT / "models" / "agent_p" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models") or []:
            for found in model.get("columns") or []:
                if (model["name"], found["name"]) == (mart, column):
                    values = [test["accepted_values"]["arguments"]["values"] for test in found.get("data_tests") or []
                              if isinstance(test, dict) and "accepted_values" in test]  # fmt: skip
                    if values:
                        return [str(value) for value in values[0]]
    raise LookupError(f"{mart}.{column} accepts anything")


def read_rule(rule: str) -> list[str]:
    """The words that a rule of the data standard knows: what stands behind the expression in its call of is_unknown."""
    for path in sorted((ROOT / "systems" / "agent_p" / "standard").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and any(isinstance(a, ast.Constant) and a.value == rule for a in call.args):
                for inner in ast.walk(call):
                    if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "is_unknown":
                        return [str(ast.literal_eval(word)) for word in inner.args[1:]]
    raise LookupError(rule)


def read_literal(path: str, name: str) -> list[str]:
    """The members of a `Literal` that a file gives a name; without importing what the file imports."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return [str(leaf.value) for leaf in ast.walk(node.value) if isinstance(leaf, ast.Constant)]
    raise LookupError(name)


def read_problem_kinds() -> set[str]:
    """The kinds of problems that orchestration makes."""
    tree = ast.parse((ROOT / "orchestration" / "problems.py").read_text(encoding="utf-8"))
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"
    ]
    return {str(call.args[1].value) for call in calls if len(call.args) > 1 and isinstance(call.args[1], ast.Constant)}


def assert_texts(prefix: str, words: list[str] | tuple[str, ...] | set[str]) -> None:
    assert words
    for texts in (RU, EN):
        assert {word for word in words if not texts.find(f"{prefix}.{word}", "").strip()} == set(), texts.language


def test_both_languages_have_the_same_keys() -> None:
    assert set(RU.entries) == set(EN.entries)


def test_both_languages_fill_in_the_same_values_and_say_something() -> None:
    for key, text in RU.entries.items():
        assert list_placeholders(text) == list_placeholders(EN.entries[key]), key
        assert text.strip(), key
        assert EN.entries[key].strip(), key


def test_russian_pages_are_in_russian_and_english_ones_are_not() -> None:
    foreign = ("channel.telegram", "channel.whatsapp", "kpi.n", "kpi.part", "kpi.period", "action.risk.unpriced")
    assert not [key for key, text in EN.entries.items() if re.search("[а-яё]", text, re.IGNORECASE)]
    latin = [key for key, text in RU.entries.items() if not re.search("[а-яё]", re.sub(r"\{\w+\}", "", text))]
    assert set(latin) <= {*foreign}


def test_what_is_counted_has_every_plural_form() -> None:
    families = {key.rsplit(".", 1)[0] for key in RU.entries if key.endswith(".many")}
    assert {"action.win_back.title", "action.risk.of", "action.risk.fall"} <= families
    for family in families:
        assert {f"{family}.{form}" for form in FORMS} <= set(RU.entries)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "клиента пора вернуть"), (2, "клиентов пора вернуть"), (5, "клиентов пора вернуть"),
        (11, "клиентов пора вернуть"), (21, "клиента пора вернуть"), (0, "клиентов пора вернуть"),
    ],
)  # fmt: skip
def test_russian_counts_in_its_plural_forms(number: int, said: str) -> None:
    assert RU.count("action.win_back.title", number, str(number)) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "Из 1 записи на неделю"), (2, "Из 2 записей на неделю"), (5, "Из 5 записей на неделю"),
     (21, "Из 21 записи на неделю"), (22, "Из 22 записей на неделю")],
)  # fmt: skip
def test_russian_counts_in_the_case_that_the_sentence_asks_for(number: int, said: str) -> None:
    assert RU.count("action.risk.of", number, str(number)) == said


def test_english_counts_one_and_many() -> None:
    said = [EN.count("action.unanswered.title", number, str(number)).split()[0] for number in (1, 2, 21)]
    assert said == ["conversation", "conversations", "conversations"]


def test_a_text_that_is_asked_for_and_not_there_is_a_fault() -> None:
    with pytest.raises(KeyError):
        RU.get("no.such.key")
    assert RU.find("no.such.key", "as it is") == "as it is"


def test_values_with_braces_are_filled_in_as_they_are() -> None:
    assert EN.get("table.filter", column="{0} {evil}") == "Filter: {0} {evil}"


@pytest.mark.parametrize(("mart", "column"), sorted(ACCEPTED))
def test_every_word_that_a_mart_may_hold_has_a_text(mart: str, column: str) -> None:
    assert_texts(ACCEPTED[mart, column], read_accepted(mart, column))


def test_every_measure_beside_similar_salons_has_a_text() -> None:
    measures = read_accepted("retention", "measure") + read_accepted("visit_rates", "measure")
    for texts in (RU, EN):
        assert all(texts.find(f"retention.{measure}", texts.find(f"visit_rate.{measure}", "")) for measure in measures)


def test_every_figure_with_a_card_is_one_of_the_mart_and_is_defined() -> None:
    assert set(SHOWN) <= set(read_accepted("kpis", "measure"))
    for measure in SHOWN:
        assert_texts(f"kpi.{measure}", ("title", "definition"))


def test_every_figure_that_may_be_restated_has_a_text() -> None:
    path = DBT_PROJECT / "models" / "agent_p" / "intermediate" / "daily" / "int_figures_published.sql"
    found = re.search(r"set measures = (\{.*?\})\s*-%\}", path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert_texts("measure", {name for names in ast.literal_eval(found[1]).values() for name in names})


def test_every_word_of_the_data_standard_has_a_text() -> None:
    assert_texts("result", read_rule("sessions.final_status_known"))
    assert_texts("intent", read_rule("sessions.final_intent_known"))
    assert_texts("channel", read_rule("sessions.channel_known"))
    assert_texts("preference", ("morning", "afternoon", "evening"))
    for prefix, words in KNOWN_WORDS.items():
        assert_texts(prefix, words)


def test_every_kind_of_rule_and_problem_has_a_text() -> None:
    assert_texts("severity", read_literal("expectations/rules.py", "Severity"))
    assert_texts("rule_action", read_literal("expectations/rules.py", "Action"))
    assert read_problem_kinds() >= {"run", "check", "freshness", "silence"}
    assert_texts("problem_kind", read_problem_kinds())


def test_no_page_shows_words_that_these_tests_do_not_know() -> None:
    known = {*ACCEPTED.values(), *KNOWN_WORDS, "intent", "preference", "measure", "severity", "rule_action",
             "problem_kind"}  # fmt: skip
    shown = {
        column.words or "boolean"
        for site, name in PAGES
        for table in build_page(site, name, *EDITIONS[0]).list_tables()
        for column in table.columns
        if column.kind in ("word", "boolean")
    }
    assert shown <= known
    assert {"stage", "lifecycle", "result"} <= shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_of_every_table_has_a_title(language: str) -> None:
    texts = read_texts(language)
    for site, name in PAGES:
        for table in build_page(site, name, *EDITIONS[0]).list_tables():
            names = [column.name for column in table.columns if column.is_in_files]
            names += [column.currency for column in table.columns if column.currency]
            untitled = [column for column in names if not find_title(table.name, column, language)]
            assert untitled == [], table.name
            assert texts.get(f"table.{table.name}.title")
            assert texts.get(table.empty)
            assert all(get_title(table, column, None) == column for column in names)


def find_title(table: str, column: str, language: str) -> str:
    """The title of a column, empty where the texts have none: pages would show its own name."""
    texts = read_texts(language)
    return texts.find(f"column.{table}.{column}", texts.find(f"column.{column}", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_menus_and_charts_have_their_texts(language: str) -> None:
    texts = read_texts(language)
    for page in (*SALON_PAGES, *(CHAIN_TEXTS.get(name, name) for name in CHAIN_PAGES)):
        assert all(texts.get(f"page.{page}.{part}") for part in ("menu", "title", "lead"))
    assert build_specifications(language)


def test_every_key_that_the_code_spells_out_is_there() -> None:
    """Those of templates too; keys that are put together are asked for by the pages that the other tests render."""
    places = [path for path in (ROOT / "reports").rglob("*") if path.suffix in (".py", ".html")]
    spelled = {
        key
        for path in places
        if not path.name.startswith("digest")
        for key in re.findall(r"(?:texts|context\.texts|\bt)\.get\(\s*['\"]([a-z_.\-]+)['\"]", path.read_text("utf-8"))
    }
    assert len(spelled) > 50
    assert spelled - set(RU.entries) == set()
