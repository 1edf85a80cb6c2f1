"""A folder of exports: which file is which table's, and its bytes, unpacked."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agentp.errors import LoadError
from systems.registry import list_systems
from systems.system import System

KINDS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "json", ".ndjson": "json", ".json": "json"}
"""What is loaded, by the ending of its name; `.gz` may follow."""
SUFFIXES = tuple(suffix + packed for suffix in KINDS for packed in ("", ".gz"))
CURES = {
    (".zip", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst"): "Unpack it; {table}.csv.gz is loaded as it is.",
    (".xlsx", ".xls", ".ods", ".numbers"): "Save the sheet as CSV in UTF-8, with commas: {table}.csv.",
    ("",): "Export it as {table}.csv, .tsv, .jsonl or .json (.gz may follow), rename it so, or move it elsewhere.",
}
"""What to do with what is not loaded, by the end of its name."""
SHOWN_NAMES = 10
_SIGNS = re.compile(r"[\W_]+")
CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
MAGICS = {
    b"\xff\xfe": "text in UTF-16; save it in UTF-8", b"\xfe\xff": "text in UTF-16; save it in UTF-8",
    b"PK": "an archive or a workbook; unpack it, or save the sheet as CSV in UTF-8",
    b"BZh": "compressed by bzip2; unpack it", b"\xfd7zXZ": "compressed by xz; unpack it",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it", b"PAR1": "Parquet; export it as CSV",
}  # fmt: skip
"""How files begin that are named as if they were text, and what they are."""


@dataclass(frozen=True)
class ExportFile:
    """One table's export: the system and its table, and the file."""

    system: System
    table: str
    path: Path

    @property
    def name(self) -> str:
        """The file's name, as messages show it."""
        return self.path.name

    @property
    def is_packed(self) -> bool:
        """Whether the file is compressed by gzip."""
        return self.name.lower().endswith(".gz")

    @property
    def kind(self) -> str:
        """What the file is: csv, tsv or json."""
        return KINDS[Path(self.name.lower().removesuffix(".gz")).suffix]

    @property
    def is_csv(self) -> bool:
        """Whether the file is CSV, by commas or tabs; else it is JSON."""
        return self.kind in ("csv", "tsv")

    @property
    def delimiter(self) -> bytes:
        """What divides the fields of a CSV file."""
        return b"\t" if self.kind == "tsv" else b","


def find_exports(folder: Path) -> list[ExportFile]:
    """Return the folder's exports in the tables' order.

    Files of other kinds and hidden files are left out, but for those that are named after a raw table. These, a CSV or
    JSON Lines file of an unknown table, two files of one table, and a folder without any export are a `LoadError`.
    """
    if not folder.exists():
        raise LoadError(f"The folder {folder} does not exist.", cure="Give the folder that holds the exports.")
    if not folder.is_dir():
        raise LoadError(f"{folder} is a file, not a folder.", cure="Give the folder that holds the exports.")
    names = [table for system in list_systems() for table in system.by_name]
    found: dict[tuple[str, str], ExportFile] = {}
    for path in sorted(folder.iterdir()):
        suffix = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
        if path.name.startswith("."):
            continue
        # The dashboard of Supabase names its exports <table>_rows.csv.
        system, table = _find_table(path.name[: -len(suffix)].removesuffix("_rows")) if suffix else (None, "")
        if system is None or not path.is_file():
            _refuse_by_name(path)
            # A folder may hold any JSON beside its exports.
            if suffix is None or suffix.removesuffix(".gz") == ".json" or not path.is_file():
                continue
            raise LoadError(
                f"{path.name} is named after no raw table; known tables are {', '.join(names)}.",
                cure="Rename the file to <table>.csv, .tsv, .jsonl or .json (.gz may follow), or move it elsewhere.",
            )
        if (system.name, table) in found:
            raise LoadError(
                f"The table {table} has two exports: {found[system.name, table].name} and {path.name}.",
                cure="Keep the one that is to be loaded.",
            )
        found[system.name, table] = ExportFile(system=system, table=table, path=path)
    if not found:
        raise LoadError(
            f"The folder {folder} holds no export.",
            cure=f"Put files such as {names[0]}.csv or {names[0]}.jsonl.gz there ({', '.join(names)}).",
        )
    return [
        found[system.name, table]
        for system in list_systems()
        for table in system.by_name
        if (system.name, table) in found
    ]


def _find_table(name: str) -> tuple[System | None, str]:
    """Return whose table a file is named after: `<table>`, or `<system>.<table>`; none for another name.

    Raises `LoadError` for the bare name of a table that several systems have.
    """
    having = [system for system in list_systems() if name in system.by_name]
    if len(having) > 1:
        raise LoadError(
            f"{name} is a table of {' and of '.join(system.name for system in having)}.",
            cure=f"Say whose it is: {having[0].name}.{name}.csv.",
        )
    if having:
        return having[0], name
    prefix, _, table = name.partition(".")
    return next(
        ((system, table) for system in list_systems() if system.name == prefix and table in system.by_name), (None, "")
    )


def describe_left_out(folder: Path, exports: list[ExportFile]) -> list[str]:
    """Return a sentence about what else is in the folder, hidden files aside; none where there is nothing."""
    taken = {export.path for export in exports}
    names = sorted(path.name for path in folder.iterdir() if path not in taken and not path.name.startswith("."))
    shown = ", ".join(names[:SHOWN_NAMES]) + (
        f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    )
    return [f"left out, for they are named after no raw table: {shown}"] if names else []


def _refuse_by_name(path: Path) -> None:
    """Refuse what is named after a raw table and is not loaded: left out, it would be missed by nobody.

    `Recent History v2 (1).json` and `clients.xlsx` are named after one as well.
    """
    name = path.name.casefold()
    letters = _SIGNS.sub("", name)
    parts = {_SIGNS.sub("", part).removesuffix("rows") for part in name.split(".")}
    tables = [table for system in list_systems() for table in system.by_name]
    named = next(
        (
            table
            for table in tables
            if (word := _SIGNS.sub("", table)) in letters or re.sub(r"v[0-9]+$", "", word) in parts
        ),
        None,
    )
    if named is not None:
        cure = next(cure for endings, cure in CURES.items() if name.endswith(endings))
        what = "is a folder" if path.is_dir() else "is of no kind that is loaded"
        raise LoadError(
            f"{path.name} is named after {named}, and {what}.",
            cure=cure.format(table=named),
        )


class ExportStream:
    """The unpacked bytes of an export; a file that cannot be read to its end is a `LoadError`."""

    def __init__(self, export: ExportFile, source: IO[bytes]) -> None:
        self._export = export
        self._source = source

    def read_chunk(self) -> bytes:
        """Return the next piece of at most 1 MiB, nothing at the end."""
        with _explain_reading(self._export):
            return self._source.read(CHUNK)

    def read_line(self) -> bytes:
        """Return the next line with its end, or 1 MiB of a longer one; nothing at the end."""
        with _explain_reading(self._export):
            return self._source.readline(CHUNK)

    def read_whole_line(self) -> bytes:
        """Return the next line with its end, however long it is; nothing at the end."""
        with _explain_reading(self._export):
            return self._source.readline()

    def peek_sign(self) -> bytes:
        """Return the first byte that is no white space, and stand where it stood before."""
        with _explain_reading(self._export):
            begin = self._source.tell()
            sign = b" "
            while sign.isspace():
                sign = self._source.read(1)
            self._source.seek(begin)
            return sign

    def drop_byte_order_mark(self) -> None:
        """Skip the mark with which Windows programs begin UTF-8; a file that is no text at all is a `LoadError`."""
        with _explain_reading(self._export):
            begin = self._source.read(6)
            self._source.seek(3 if begin.startswith(b"\xef\xbb\xbf") else 0)
        what = next((what for magic, what in MAGICS.items() if begin.startswith(magic)), None)
        if what is not None:
            raise LoadError(f"{self._export.name} is {what}.", cure="Load the folder again; nothing was loaded.")


@contextmanager
def open_export(export: ExportFile) -> Iterator[ExportStream]:
    """Yield the export's bytes, unpacked, after any byte order mark."""
    with _explain_reading(export):
        source: Any = gzip.open(export.path) if export.is_packed else export.path.open("rb")  # noqa: SIM115
    with source:
        stream = ExportStream(export, source)
        stream.drop_byte_order_mark()
        yield stream


@contextmanager
def _explain_reading(export: ExportFile) -> Iterator[None]:
    try:
        yield
    except gzip.BadGzipFile as error:
        raise LoadError(
            f"{export.name} is not a gzip file, or is damaged ({error}).",
            cure="Export it anew; when it was never compressed, take .gz off its name.",
        ) from error
    except (EOFError, zlib.error) as error:
        raise LoadError(
            f"{export.name} is damaged: its compressed data ends early or does not unpack ({error}).",
            cure="Copy or export the file anew.",
        ) from error
    except OSError as error:
        raise LoadError(
            f"{export.name} cannot be read: {error.strerror or error}.", cure="Mend the file or its rights."
        ) from error
