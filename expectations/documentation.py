"""`docs/data_standard.md`, written from the rules themselves: `make docs` renews it, a test keeps it current."""

from __future__ import annotations

from pathlib import Path

from expectations.rules import StandardExpectation
from expectations.standard import build_suites, list_rules, load_standard
from systems.registry import get_main_system

TARGET = Path(__file__).resolve().parents[1] / "docs" / "data_standard.md"
INTRODUCTION = """# The data standard, as it is checked

<!-- Written by `make docs` from {place}/; do not edit by hand. -->

{count} rules, each a Great Expectations expectation. `agentp check` runs them, `agentp run` runs them before it builds;
how each stands for each tenant is in `quality.rule_results`, as a site with `agentp check --docs DIR`.

- **Section**: of the bots' data standard (seed 01); B3, A1 and A4 are requirements that it implies.
- **Severity**: `critical` is required (🔴, ✅), `warning` is desirable (⚠️). A critical rule that fails makes
  `agentp check` exit with 1.
- **Action**: `report` counts failing rows and keeps them in the marts, which mark them where it matters; `set aside`
  keeps a failing row out of every mart until it is repaired (`quality.rows_set_aside`; it comes back with the next
  run); `stop` means that nothing right can be built, so that the build does not begin and the marts stay as they were.
- A time is in the future when it lies more than five minutes after the moment of the check.
- A column that the standard has and the table lacks (the legacy shape) counts as empty.

## The five problems

Counted per tenant and day in `dashboard.standard_problems`.

| problem | what is counted | rule | what it does to the dashboard |
| --- | --- | --- | --- |
"""


def render_standard() -> str:
    """Return the page: the five problems, then every rule of every table with meaning, severity and action."""
    system = get_main_system()
    standard = load_standard(system)
    if standard is None:
        raise AssertionError(f"{system.name} declares no standard")
    rules = list_rules()
    by_problem = {rule.problem: rule for rule in rules if rule.problem}
    place = system.package.replace(".", "/")
    lines = [INTRODUCTION.format(count=len(rules), place=f"{place}/standard").rstrip("\n")]
    for problem, (counted, effect) in standard.problems.items():
        lines.append(f"| `{problem}` | {counted} | `{by_problem[problem].rule_id}` | {effect} |")
    for table in build_suites():
        lines += ["", f"## `{table}`", "", "| rule | meaning | значение | section | severity | action |"]
        lines.append("| --- | --- | --- | --- | --- | --- |")
        lines += [_write_row(rule) for rule in list_rules(table)]
    return "\n".join(lines) + "\n"


def write_standard() -> None:
    """Write the page to its place in the documentation."""
    TARGET.write_text(render_standard(), encoding="utf-8")


def _write_row(rule: StandardExpectation) -> str:
    action = "stop" if rule.stops_build else rule.action.replace("_", " ")
    cells = (f"`{rule.rule_id}`", rule.meaning["en"], rule.meaning["ru"], rule.section, rule.level, action)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    write_standard()
