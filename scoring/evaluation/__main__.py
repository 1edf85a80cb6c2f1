"""Evaluate every score on every data set, print the tables and write them to docs/."""

from __future__ import annotations

import argparse
from pathlib import Path

from scoring.evaluation.bookings import evaluate_bookings
from scoring.evaluation.churn import evaluate_churn
from scoring.evaluation.report import tabulate, write_report


def main() -> None:
    """Run all of it; `--folder` says where to write, docs/ of this checkout unless told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[2] / "docs")
    folder = parser.parse_args().folder
    evaluations = [*evaluate_churn(), *evaluate_bookings()]
    write_report(evaluations, folder=folder)
    print(tabulate(evaluations).to_string(index=False, float_format=lambda value: f"{value:.4f}"))
    print(f"Written: {folder / 'evaluation.md'}")


if __name__ == "__main__":
    main()
