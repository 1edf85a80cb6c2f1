"""Coming after the bots: the server's processes that work for this one yield the processor to all others (issue 7).

Postgres has no priorities of its own. Where it runs on this machine, as the embedded one does, its processes can be
told apart by the port at our end of their connection, which stands in their title; elsewhere there is nothing to do.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from agentp.transport import complete_parts, find_remote_hosts

NICENESS = 10
"""A tenth of the processor time of those who do not yield, on Linux; all of it where nobody else wants any."""

INTERVAL_SECONDS = 1.0
_TITLE = re.compile(r"postgres: .*\((\d+)\) |postgres: parallel worker for PID (\d+)")


@contextmanager
def yield_to_others(url: str) -> Iterator[None]:
    """Lower the priority of the server's processes that serve this process, those that come meanwhile included.

    Nothing is done, and nothing said, where the server is elsewhere or its processes are somebody else's.
    """
    parts = complete_parts(url)
    if find_remote_hosts(parts):
        yield
        return
    port, ended = int(parts.get("port") or 5432), threading.Event()

    def watch() -> None:
        while not ended.wait(INTERVAL_SECONDS):
            for process in find_backends(port):
                with suppress(psutil.Error, OSError):
                    if process.nice() < NICENESS:
                        process.nice(NICENESS)

    thread = threading.Thread(target=watch, name="yield_to_others", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def find_backends(port: int) -> list[psutil.Process]:
    """Return the server's processes at the other end of this process's connections to a port, and their workers."""
    try:
        own = psutil.Process().net_connections(kind="tcp")
    except psutil.Error:
        return []
    ports = {str(connection.laddr.port) for connection in own if connection.raddr and connection.raddr.port == port}
    served: dict[str, psutil.Process] = {}
    workers: list[tuple[str, psutil.Process]] = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != "postgres":
            continue
        with suppress(psutil.Error):
            found = _TITLE.match(" ".join(process.cmdline()) + " ")
            if found and found[1] in ports:
                served[str(process.pid)] = process
            elif found and found[2]:
                workers.append((found[2], process))
    return [*served.values(), *(process for leader, process in workers if leader in served)]
