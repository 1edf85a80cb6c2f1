"""What all pages of a site share, written once: styles, scripts, the bundles of charts and tables, words, charts."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel import Locale

from reports.charts import build_specifications
from reports.errors import ReportError
from reports.placement import write_aside
from reports.texts import LANGUAGES, Texts, read_texts

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Assets:
    """The names of the shared files; each carries a part of its content's hash, so that no old one is shown."""

    site_css: str
    site_js: str
    tables_css: str
    tables_js: str
    charts_js: str
    words_js: dict[str, str]


def write_assets(folder: Path) -> Assets:
    """Write the shared files that are not there yet; return their names."""
    import itables
    import vl_convert

    folder.mkdir(parents=True, exist_ok=True)
    bundle = Path(itables.__file__).parent / "html" / "dt_bundle"
    return Assets(
        site_css=_write(folder, "site.css", (HERE / "site.css").read_text(encoding="utf-8")),
        site_js=_write(folder, "site.js", (HERE / "site.js").read_text(encoding="utf-8")),
        tables_css=_write(folder, "tables.css", bundle.with_suffix(".css").read_text(encoding="utf-8")),
        tables_js=_write(folder, "tables.js", _make_classic(bundle.with_suffix(".js").read_text(encoding="utf-8"))),
        # Its stubs know no default.
        charts_js=_write(folder, "charts.js", _wrap(vl_convert.javascript_bundle())),  # type: ignore[call-arg]
        words_js={language: _write(folder, f"words-{language}.js", _make_words(language)) for language in LANGUAGES},
    )  # fmt: skip


def _write(folder: Path, name: str, content: str) -> str:
    stem, suffix = name.rsplit(".", 1)
    data = content.encode()
    hashed = f"{stem}-{hashlib.sha256(data).hexdigest()[:10]}.{suffix}"
    path = folder / hashed
    if not path.exists():
        with write_aside(path) as aside:
            aside.write_bytes(data)
    return hashed


def _make_classic(module: str) -> str:
    """Turn itables' bundle, a module, into a script: browsers load no modules from the file system."""
    exports = list(re.finditer(r"export\s*\{([^{}]*)\}\s*;?", module))
    if len(exports) != 1:
        raise ReportError(
            f"The bundle of itables has {len(exports)} export statements, and one is known how to read.",
            cure="Install the version of itables that requirements.lock names.",
        )
    names = dict(
        tuple(part.strip() for part in reversed(name.split(" as "))) for name in exports[0][1].split(",")
    )  # fmt: skip
    kept = f"window.agentpTables = {{ DataTable: {names['default']} }};"
    return _wrap(module[: exports[0].start()] + kept + module[exports[0].end() :])


def _wrap(script: str) -> str:
    return f"(() => {{\n{script}\n}})();\n"


def _make_words(language: str) -> str:
    texts = read_texts(language)
    words = {
        "all": texts.get("table.all"), "table": _translate_tables(texts), "dialog": _choose(texts, "dialog."),
        "numbers": _describe_numbers(texts),
    }  # fmt: skip
    return (
        f"window.agentpWords = {json.dumps(words, ensure_ascii=False)};\n"
        f"window.agentpCharts = {json.dumps(build_specifications(language), ensure_ascii=False)};\n"
    )


def _translate_tables(texts: Texts) -> dict[str, Any]:
    """The words of DataTables, by the names that it gives them."""
    return {
        "search": texts.get("table.search"), "info": texts.get("table.shown"),
        "infoEmpty": texts.get("table.shown_none"), "infoFiltered": texts.get("table.filtered"),
        "lengthMenu": texts.get("table.length"), "zeroRecords": texts.get("table.shown_none"),
        "emptyTable": texts.get("table.empty"), "decimal": _describe_numbers(texts)["decimal"],
        "thousands": _describe_numbers(texts)["thousands"],
        "paginate": dict(zip(("first", "previous", "next", "last"), "«‹›»", strict=True)),
        "aria": {"paginate": _choose(texts, "table.", ("first", "previous", "next", "last"))},
    }  # fmt: skip


def _describe_numbers(texts: Texts) -> dict[str, Any]:
    """How numbers are written, by the names that Vega gives it."""
    symbols = Locale.parse(texts.language).number_symbols["latn"]
    return {"decimal": symbols["decimal"], "thousands": symbols["group"], "grouping": [3], "currency": ["", ""]}


def _choose(texts: Texts, prefix: str, names: tuple[str, ...] = ()) -> dict[str, str]:
    return {
        key.removeprefix(prefix): text
        for key, text in texts.entries.items()
        if key.startswith(prefix) and (not names or key.removeprefix(prefix) in names)
    }
