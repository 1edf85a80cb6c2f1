"""Results in a file, kept as they come, so that a run that was stopped goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from agentp.errors import SetupError
from tools.faults.fault import Fault
from tools.faults.trial import Result


class Results:
    """The results of one checkout; ``path`` None keeps them for this run alone."""

    def __init__(self, path: Path | None, *, checkout: str) -> None:
        self._path = path
        self._checkout = checkout
        self._lock = Lock()
        self._found: dict[str, Result] = {}
        if path is not None and path.exists():
            self._found = {result.id: result for result in self._read(path)}

    def find(self, fault: Fault) -> Result | None:
        """Return what is known of a fault: the answer of the same tests to the same change, errors aside."""
        result = self._found.get(fault.id)
        return result if result is not None and result.digest == fault.digest and result.outcome != "error" else None

    def keep(self, result: Result) -> None:
        """Add a result, or put it in the place of an older one."""
        with self._lock:
            self._found[result.id] = result
            if self._path is not None:
                document = {"checkout": self._checkout, "results": [asdict(found) for found in self._found.values()]}
                aside = self._path.with_name(f".{self._path.name}.part")
                aside.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
                aside.replace(self._path)

    def _read(self, path: Path) -> Iterable[Result]:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            checkout, results = document["checkout"], [Result(**entry) for entry in document["results"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(
                f"{path} holds no results: {type(error).__name__}.", cure="Name another file: --results FILE."
            ) from error
        if checkout != self._checkout:
            raise SetupError(
                f"{path} holds results of another checkout, or of this one before it was changed.",
                cure="Name another file, or remove this one to begin anew.",
            )
        return results
