"""The guard in front of AGENTP_TEST_DATABASE_URL: tests make and drop databases, so only on this machine."""

from __future__ import annotations

import ipaddress

from psycopg.conninfo import conninfo_to_dict


def require_loopback(url: str) -> None:
    """Refuse any host but loopback or a local socket."""
    parts = conninfo_to_dict(url)
    for name in ("host", "hostaddr"):
        for host in str(parts.get(name) or "").split(","):
            if host and not host.startswith("/") and host != "localhost" and not _is_loopback(host):
                raise RuntimeError(
                    f"AGENTP_TEST_DATABASE_URL names the host {host}; tests drop databases and run on loopback only."
                )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
