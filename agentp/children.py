"""A program in the foreground that ends with whoever started it, so that nothing goes on writing unseen."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

GRACE_SECONDS = 60.0
"""How long a program may take to end what it does before it is killed."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""Linux, prctl(2): the signal that a process gets when its parent dies; who inherits processes that lose theirs."""


class _ToldToEndError(Exception):
    """Somebody sent a signal that ends programs."""


def run_to_the_end(command: Sequence[str], *, environment: Mapping[str, str], folder: Path, kin: str) -> int:
    """Run a program until it ends, and return its code; however this process ends, the program ends too.

    A signal is handed on and the end waited for; on Linux `kill -9` of this process ends it as well. What the program
    itself left behind, were it killed, is ended by its command line, which has ``kin`` in it.
    """
    _call_prctl(PR_SET_CHILD_SUBREAPER, 1)
    process = subprocess.Popen(command, env=dict(environment), cwd=folder, preexec_fn=_make_mortal(os.getpid()))
    signals = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _tell) for number in signals}
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal told the program as well.
        return _wait(process)
    except _ToldToEndError:
        process.terminate()
        return _wait(process)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _end_orphans(kin)


def _tell(number: int, frame: Any) -> None:
    raise _ToldToEndError


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(timeout=GRACE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt, _ToldToEndError):
        process.kill()
        return process.wait()


def _end_orphans(kin: str) -> None:
    left = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(kin in part for part in child.cmdline()):
                child.terminate()
                left.append(child)
    for child in psutil.wait_procs(left, timeout=10)[1]:
        with suppress(psutil.Error):
            child.kill()


def _has_prctl() -> bool:
    return sys.platform == "linux"


def _call_prctl(option: int, value: int) -> None:
    if _has_prctl():
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _make_mortal(parent: int) -> Callable[[], None]:
    library = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        # A shell has what it starts in the background ignore the one, and Dagster then takes the other for it.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if _has_prctl():
            library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # died before it could be heard of

    return prepare
