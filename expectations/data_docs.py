"""Data docs that are whole without a network: no stylesheet, script or picture of another server.

Great Expectations' pages fetch their looks from seven hosts, and a picture that tells its maker of each visit. Here
they get one stylesheet of our own and lose the rest, and the first page, whose tables are drawn by fetched scripts, is
a plain list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

from great_expectations.core import ExpectationSuiteValidationResult

STYLESHEET = "data_docs.css"
_FETCHED = re.compile(
    r"<link\b[^>]*\bhref=[\"']?https?://[^>]*>"
    r"|<script\b[^>]*\bsrc=[\"']?https?://[^>]*>\s*</script>"
    r"|<img\b[^>]*\bsrc=[\"']?https?://[^>]*>"
    r"|<script\b[^>]*>.*?</script>"
    r"|<footer>.*?</footer>"
    r"|url\([\"']?https?://[^)]*\)",
    re.DOTALL | re.IGNORECASE,
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The data standard</title>
<link rel="stylesheet" href="{stylesheet}">
</head>
<body>
<main>
<h1>The data standard</h1>
<table>
<thead><tr><th>table</th><th>rules</th><th>failing</th><th></th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
"""
_ROW = '<tr><td><a href="{page}">{table}</a></td><td>{rules}</td><td>{failing}</td><td class="{kind}">{kind}</td></tr>'


def make_self_contained(folder: Path, results: Mapping[str, ExpectationSuiteValidationResult]) -> None:
    """Take everything that is fetched out of the pages in a folder, and write its first page anew from the results."""
    stylesheet = folder / "static" / "styles" / STYLESHEET
    stylesheet.write_text(files("expectations").joinpath(STYLESHEET).read_text(encoding="utf-8"), encoding="utf-8")
    for page in folder.rglob("*.html"):
        up = "../" * (len(page.relative_to(folder).parts) - 1)
        link = f'<link rel="stylesheet" href="{up}static/styles/{STYLESHEET}">'
        text = _FETCHED.sub("", page.read_text(encoding="utf-8"))
        page.write_text(text.replace("</head>", f"{link}</head>", 1), encoding="utf-8")
    rows = [_write_row(folder, table, result) for table, result in results.items()]
    first = _PAGE.format(stylesheet=f"static/styles/{STYLESHEET}", rows="\n".join(rows))
    (folder / "index.html").write_text(first, encoding="utf-8")


def _write_row(folder: Path, table: str, result: ExpectationSuiteValidationResult) -> str:
    # Of several runs in the folder the last one, whose name sorts last.
    pages = sorted((folder / "validations" / table).rglob("*.html"), key=lambda page: page.stat().st_mtime)
    failing = sum(not found.success for found in result.results)
    return _ROW.format(
        page=escape(pages[-1].relative_to(folder).as_posix() if pages else "#"), table=escape(table),
        rules=len(result.results), failing=failing, kind="failed" if failing else "passed",
    )  # fmt: skip
