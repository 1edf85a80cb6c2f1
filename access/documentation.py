"""`docs/personal_columns.md`: which columns of the marts tell of people, and who reads them, as the YAML says."""

from __future__ import annotations

from agentp.classification import read_marts
from agentp.settings import PROJECT_ROOT

TARGET = PROJECT_ROOT / "docs" / "personal_columns.md"
READERS = {
    "pii": "readers of the salon, the chain, admins",
    "text": "readers of the salon, the chain, admins; phones, e-mails and cards in it are replaced",
    "staff": "readers of the salon, the chain, admins",
    "salon": "everybody who reads the mart: a salon is no person",
    "secret": "nobody",
    "plain": "everybody who reads the mart: looks like a person's and is none",
}
INTRODUCTION = """# Columns that tell of people

Written by `make docs` from the YAML of the marts (`config: {meta: {class: …}}`), which also drives grants, the views in
schema `analysis`, reports and exports. Every other column is figures, keys and times.

| class | who reads it |
| --- | --- |
"""


def render_columns() -> str:
    """Return the page: the classes, then every column that has one, by mart."""
    lines = [INTRODUCTION.rstrip("\n")]
    lines += [f"| `{name}` | {readers} |" for name, readers in READERS.items()]
    lines += ["", "| mart | column | class |", "| --- | --- | --- |"]
    for mart in sorted(read_marts().values(), key=lambda mart: mart.name):
        lines += [f"| `{mart.name}` | `{column.name}` | {column.sort} |" for column in mart.columns if column.sort]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render_columns(), encoding="utf-8")
