"""What a run of the gate found, for the command line, the scheduler and the reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Finding:
    """One tenant's count or silence on one day that no fixed rule catches, beside what would have been usual."""

    tenant_id: str
    tenant_name: str
    day: date
    measure: str
    observed: float
    expected: float
    lower: float
    upper: float
    is_unusual: bool

    def describe(self) -> str:
        """Say it in one sentence."""
        who = self.tenant_name or self.tenant_id
        if self.measure == "silent_hours":
            return (
                f"{who}: silent for {self.observed:,.0f} hours; its longest silences last {self.expected:,.0f} hours."
            )
        return (
            f"{who}, {self.day}: {self.observed:,.0f} {self.measure}; "
            f"usual is {self.expected:,.0f} ({self.lower:,.0f} to {self.upper:,.0f})."
        )


@dataclass(frozen=True)
class RuleResult:
    """How one rule stands over all tenants: rows that ought to follow it, rows that do not, and a few of their keys."""

    rule_id: str
    table: str
    severity: str
    action: str
    meaning: dict[str, str]
    rows_seen: int
    rows_failed: int
    tenants_failed: int
    examples: tuple[str, ...]
    is_about_shape: bool = False

    @property
    def is_broken(self) -> bool:
        """Whether anything fails the rule."""
        return self.rows_failed > 0


@dataclass(frozen=True)
class Verdict:
    """One run of the gate.

    ``outcome`` is `passed`, `warned` (only warnings fail), `failed` (something critical does) or `stopped`
    (nothing right can be built at all). ``unreadable`` are the tables that nothing right can be built of, ``stopping``
    says why. ``rows_looked_at`` counts what this run read anew.
    """

    run_id: int
    outcome: str
    is_full: bool
    rows_looked_at: int
    rows_set_aside: int
    results: tuple[RuleResult, ...]
    stopping: tuple[str, ...]
    unusual: tuple[Finding, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[RuleResult, ...]:
        """The rules that something fails, the critical ones first, then by how much."""
        found = [result for result in self.results if result.is_broken]
        return tuple(sorted(found, key=lambda result: (result.severity, -result.rows_failed, result.rule_id)))

    @property
    def empty_tables(self) -> tuple[str, ...]:
        """The raw tables that were judged and hold no row: nobody writes them."""
        return tuple(sorted(table for table, rows in self.count_rows().items() if rows == 0))

    def count_rows(self) -> dict[str, int]:
        """Return how many rows each raw table holds whose rows were judged."""
        # Rules about shapes see one thing, the table; those about rows see its rows.
        seen: dict[str, int] = {}
        for result in self.results:
            if not result.is_about_shape:
                seen[result.table] = max(seen.get(result.table, 0), result.rows_seen)
        return seen

    def find_faults(self, table: str) -> list[str]:
        """Return why nothing right can be built of a table."""
        return [fault for fault in self.stopping if fault.startswith(f"{table}: ")]

    @property
    def exit_code(self) -> int:
        """0 when nothing critical fails, else 1."""
        return 1 if self.outcome in ("failed", "stopped") else 0
