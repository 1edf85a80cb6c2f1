"""A rule of the data standard, as an expectation that Great Expectations can run.

Great Expectations' own column expectations count failures per table. The data team needs them per tenant, with keys, in
one reading of a large table (docs/decisions.md), so rules about rows share one metric, `table.rule_verdicts`, which
looks at every row once for all rules of the table (`expectations.metrics`).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.conditions import is_longer
from systems.registry import find_raw_table

Severity = Literal["critical", "warning"]
Action = Literal["report", "set_aside"]


class StandardExpectation(BatchExpectation):
    """What the rules about rows and those about shapes share: their name, their table and where they come from.

    What is looked at (all rows or those with changes, as of when) says the run of `quality.runs` that is under way.
    """

    rule_id: str
    table_name: str

    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)
    success_keys: ClassVar[tuple[str, ...]] = ("rule_id", "table_name")

    @property
    def section(self) -> str:
        """The sections of the standard (seed 01) or the requirement (B3) the rule comes from."""
        return str(self._meta("section"))

    @property
    def action(self) -> Action:
        """`set_aside` keeps failing rows out of the marts until they are repaired; `report` keeps them in."""
        return "set_aside" if self._meta("action") == "set_aside" else "report"

    @property
    def level(self) -> Severity:
        """`critical` for what the standard requires, `warning` for what it calls desirable."""
        return "critical" if FailureSeverity(self.severity) == FailureSeverity.CRITICAL else "warning"

    @property
    def meaning(self) -> dict[str, str]:
        """What a bot developer has to see to, in `en` and `ru`."""
        return {"en": str(self._meta("en")), "ru": str(self._meta("ru"))}

    @property
    def implies(self) -> tuple[str, ...]:
        """Rules that cannot hold where this one does not."""
        return tuple(self._meta("implies") or ())

    @property
    def problem(self) -> str | None:
        """Which of the five problems of the standard's first table this rule counts, if any (B4)."""
        return self._meta("problem")  # type: ignore[no-any-return]

    @property
    def is_rechecked(self) -> bool:
        """Whether a failing row may become right, or a right one fail, while the row itself stays as it is."""
        return bool(self._meta("is_rechecked"))

    @property
    def stops_build(self) -> bool:
        """Whether nothing right can be built while the rule is broken."""
        return bool(self._meta("stops_build"))

    def _meta(self, name: str) -> Any:
        return (self.meta or {}).get(name)


class ExpectRowsToFollowRule(StandardExpectation):
    """Expect no row of a raw table to meet a condition.

    ``fails_when`` is SQL over `rows` (the raw row), `run.present` and what `expectations.inspections` joins to
    the table; it must never raise, whatever a row holds. NULL counts as "does not fail".
    """

    fails_when: str
    success_keys: ClassVar[tuple[str, ...]] = ("rule_id", "table_name", "fails_when")
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.rule_verdicts",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        verdict = metrics["table.rule_verdicts"][self.rule_id]
        failed, seen = verdict["rows_failed"], verdict["rows_seen"]
        return {
            "success": failed == 0,
            "result": {
                "element_count": seen,
                "unexpected_count": failed,
                "unexpected_percent": 100 * failed / seen if seen else 0.0,
                "partial_unexpected_list": verdict["examples"],
                "observed_value": f"{failed:,} of {seen:,} rows",
            },
        }


class ExpectTableShape(StandardExpectation):
    """Expect a raw table's columns or keys to be as the standard declares them.

    ``aspect`` says which: `columns_present`, `column_types`, `no_new_columns`, or `kept_reference` (where
    the foreign key of a reference points whose orphans the table keeps).
    """

    aspect: Literal["columns_present", "column_types", "no_new_columns", "kept_reference"]
    success_keys: ClassVar[tuple[str, ...]] = ("rule_id", "table_name", "aspect")
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.shape_faults",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        faults = metrics["table.shape_faults"].get(self.aspect, [])
        observed = "; ".join(faults) if faults else "as declared"
        return {
            "success": not faults,
            "result": {
                "observed_value": observed,
                "unexpected_count": len(faults),
                "partial_unexpected_list": faults,
            },
        }


def expect_rows(
    rule_id: str,
    *,
    section: str,
    fails_when: str,
    en: str,
    ru: str,
    severity: Severity = "critical",
    action: Action = "report",
    implies: tuple[str, ...] = (),
    problem: str | None = None,
    is_rechecked: bool = False,
) -> ExpectRowsToFollowRule:
    """Return one rule about rows; everything that people read about it stands in ``meta``."""
    return ExpectRowsToFollowRule(
        rule_id=rule_id, table_name=find_raw_table(rule_id), fails_when=fails_when,
        severity=FailureSeverity(severity), description=_describe(rule_id, severity, section, en),
        meta={
            "section": section, "action": action, "en": en, "ru": ru, "implies": list(implies), "problem": problem,
            "is_rechecked": is_rechecked,
        },
    )  # fmt: skip


def expect_short_texts(prefix: str, **longest: int) -> ExpectRowsToFollowRule:
    """Return the rule that columns hold no more signs than the marts keep of them (macros `bounded`, `bounded_id`)."""
    named = ", ".join(f"{column} {signs:,}" for column, signs in longest.items())
    return expect_rows(
        f"{prefix}.texts_short", section="B5", severity="warning",
        fails_when=" or ".join(is_longer(f"rows.{column}", signs) for column, signs in longest.items()),
        en=f"No text is longer than the marts keep of it; signs at most: {named}.",
        ru=f"Тексты не длиннее, чем их хранят витрины; не больше знаков: {named}.",
    )  # fmt: skip


def expect_shape(prefix: str, *, section: str) -> list[StandardExpectation]:
    """Return what the standard's DDL asks of a table's columns: there, of their type, and no others."""

    def shape(aspect: Any, severity: Severity, en: str, ru: str, **meta: Any) -> ExpectTableShape:
        rule_id = f"{prefix}.{aspect}"
        return ExpectTableShape(
            rule_id=rule_id, table_name=find_raw_table(rule_id), aspect=aspect,
            severity=FailureSeverity(severity), description=_describe(rule_id, severity, section, en),
            meta={"section": section, "action": "report", "en": en, "ru": ru, **meta},
        )  # fmt: skip

    return [
        shape(
            "columns_present", "critical",
            "Every column of the standard is there. The build stops without one it needs; the rest counts as empty.",
            "В таблице есть все колонки стандарта. Без нужной колонки сборка не идёт, остальные считаются пустыми.",
            stops_build=True,
        ),
        shape(
            "column_types", "critical",
            "Every column has the type of the standard. The build stops at another type.",
            "Каждая колонка имеет тип из стандарта. При другом типе сборка не идёт.",
            stops_build=True,
        ),
        shape(
            "no_new_columns", "warning",
            "There is no column that the standard does not know: add it to the standard, or remove it.",
            "Нет колонок, которых не знает стандарт: добавьте их в стандарт или уберите.",
        ),
    ]  # fmt: skip


def expect_kept_reference(rule_id: str, *, section: str, en: str, ru: str) -> ExpectTableShape:
    """Return the rule about where the reference may point whose orphans a table keeps (`Table.kept_reference`)."""
    return ExpectTableShape(
        rule_id=rule_id, table_name=find_raw_table(rule_id), aspect="kept_reference",
        severity=FailureSeverity.CRITICAL, description=_describe(rule_id, "critical", section, en),
        meta={"section": section, "action": "report", "en": en, "ru": ru},
    )  # fmt: skip


def _describe(rule_id: str, severity: Severity, section: str, meaning: str) -> str:
    """What data docs show of a rule."""
    return f"{rule_id} ({severity}, section {section}): {meaning}"
