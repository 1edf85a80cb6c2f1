"""The embedded server's configuration, sized for the machine it runs on."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

MEBIBYTE = 1024 * 1024


def suggest_settings(*, memory_bytes: int, processors: int) -> dict[str, str]:
    """Return Postgres settings for an analytical load beside other programs.

    A quarter of the memory as shared buffers is the Postgres manual's starting point ("Resource
    Consumption"), capped because this server shares the machine; `work_mem` lets a million
    messages sort in memory on 8 GiB and more.
    """
    memory = memory_bytes // MEBIBYTE
    workers = max(1, processors)
    return {
        "shared_buffers": f"{min(max(memory // 8, 64), 2048)}MB",
        "effective_cache_size": f"{max(memory // 2, 128)}MB",
        "work_mem": f"{min(max(memory // 64, 16), 256)}MB",
        "maintenance_work_mem": f"{min(max(memory // 32, 64), 1024)}MB",
        "max_worker_processes": str(workers * 2 + 4),
        "max_parallel_workers": str(workers),
        "max_parallel_workers_per_gather": str(max(1, workers // 2)),
        "max_parallel_maintenance_workers": str(max(1, workers // 2)),
        "random_page_cost": "1.1",
        "effective_io_concurrency": "64",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
        "jit": "off",
        "max_connections": "60",
        "client_connection_check_interval": "2s",
    }


def write_configuration(data: Path, *, port: int) -> None:
    """Write `agentp.conf` for this machine and have `postgresql.conf` include it, once."""
    sized = suggest_settings(memory_bytes=psutil.virtual_memory().total, processors=os.cpu_count() or 1)
    fixed = {
        "listen_addresses": "'127.0.0.1'",
        "port": str(port),
        "unix_socket_directories": "''",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        # Errors quote values of rows, in their message, details and statement, and nobody's phone stands in a log
        # (issue 7): whoever sent the statement is told, and the log has what is the server's own.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
    lines = [f"{name} = {value}" for name, value in (fixed | sized).items()]
    (data / "agentp.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    main = data / "postgresql.conf"
    text = main.read_text(encoding="utf-8")
    if "include 'agentp.conf'" not in text:
        main.write_text(text + "\ninclude 'agentp.conf'\n", encoding="utf-8")
