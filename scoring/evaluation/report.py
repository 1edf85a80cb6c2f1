"""Writing the evaluation down: a page of tables, and a calibration plot for each task."""

from __future__ import annotations

import math
import re
from pathlib import Path

import altair as alt
import pandas as pd
import vl_convert

from scoring.evaluation.results import Evaluation
from scoring.quality import tabulate_reliability

INTRODUCTION = """# How well the scores do

Written by `make evaluate` (`python -m scoring.evaluation`); every number comes from that run. Sources and licences of
the data: [scoring/evaluation/data/README.md](../scoring/evaluation/data/README.md).

AUC: how well clients or bookings are ranked, .5 is chance. Brier: mean squared error of the probability, less is
better. ECE: how far probability and outcome are apart, over ten bins of equal width. A score that is no probability has
an AUC only. All models of ours are fitted on what was known at the cut; nothing of the hold-out is used to fit or
calibrate.
"""

NOTES = """
## Notes

* **CDNOW** has as much to hold out as to learn from. Horizons that long are not seen in the past, so closed windows are
  taken as long in proportion (20 weeks foretold after 20), and visit hazards are carried on as a power of time. The
  regression in the table has seen four fifths of the answers; it is a yardstick, not a forecast.
* **complete_journey** is a sample of receipt lines, so that visits are missing and gaps are longer than they were.
* **hotel bookings** have no client, so that the fourth factor, days since the last visit, is not there. The share of
  cancellations rose after the cut (see the base rate's ECE). With lead time as the only factor that varies for most
  bookings, all models that rise with it rank alike; the hotels differ, which tenants' intercepts take up.
"""


def write_report(evaluations: list[Evaluation], *, folder: Path) -> None:
    """Write ``evaluation.md`` and ``calibration/*.svg`` to the folder."""
    plots = folder / "calibration"
    plots.mkdir(parents=True, exist_ok=True)
    parts = [INTRODUCTION]
    for evaluation in evaluations:
        name = re.sub(r"[^a-z0-9]+", "_", evaluation.task.lower()).strip("_")
        (plots / f"{name}.svg").write_text(draw_calibration(evaluation), encoding="utf-8")
        parts.append(write_section(evaluation, plot=f"calibration/{name}.svg"))
    (folder / "evaluation.md").write_text("\n".join([*parts, NOTES.strip(), ""]), encoding="utf-8")


def write_section(evaluation: Evaluation, *, plot: str) -> str:
    """Return one task as Markdown."""
    lines = [f"## {evaluation.task}", "", evaluation.split, ""]
    lines += ["| rule or model | AUC | Brier | ECE | n |", "|---|---|---|---|---|"]
    for row in evaluation.rows:
        numbers = " | ".join("–" if math.isnan(number) else f"{number:.4f}" for number in (row.auc, row.brier, row.ece))
        lines.append(f"| {row.name} | {numbers} | {row.n:,} |")
    return "\n".join([*lines, "", f"![Calibration: {evaluation.task}]({plot})", ""])


def draw_calibration(evaluation: Evaluation) -> str:
    """Return an SVG: share of events by probability, with Wilson 95 % intervals; the diagonal is perfect."""
    table = tabulate_reliability(evaluation.is_event, evaluation.foretold)
    data = alt.InlineData(values=table.round(6).to_dict("records"))
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("mean_probability:Q", title="foretold", scale=scale)
    ideal = alt.Chart(alt.InlineData(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        color="#bbb", strokeDash=[4, 4]
    )
    diagonal = ideal.encode(x=alt.X("x:Q", scale=scale, title="foretold"), y=alt.Y("y:Q", scale=scale, title="came"))
    base = alt.Chart(data)
    bars = base.mark_rule(color="#4c78a8").encode(x=x, y=alt.Y("lower:Q", title="came"), y2="upper:Q")
    points = base.mark_circle(color="#4c78a8", opacity=1).encode(
        x=x, y=alt.Y("event_rate:Q", title="came", scale=scale), size=alt.Size("n:Q", title="rows")
    )
    chart = (diagonal + bars + points).properties(width=280, height=280, title=evaluation.task)
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def tabulate(evaluations: list[Evaluation]) -> pd.DataFrame:
    """Return all rows of all tasks as a frame: task, name, auc, brier, ece, n."""
    return pd.DataFrame([{"task": e.task, **vars(row)} for e in evaluations for row in e.rows])
