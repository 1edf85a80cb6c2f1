"""Receivers of alerts on this machine: a webhook, which Telegram's and Slack's plugins can be pointed at, and SMTP."""

from __future__ import annotations

import email
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """An HTTP server that keeps what was posted; may be down, slow, or answer with a fault, at all paths or some."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.refused: set[str] = set()
        self.seconds = 0.0
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """The URL as apprise writes it."""
        return f"json://127.0.0.1:{self.port}/"

    @property
    def titles(self) -> list[str]:
        """What was told so far."""
        return [post["title"] for _, post in self.posts]

    @property
    def bodies(self) -> str:
        """All that was said so far."""
        return "\n".join(post["message"] for _, post in self.posts)

    def start(self) -> None:
        """Listen, after a `stop` on the same port as before."""
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(webhook.seconds)
                status = 403 if self.path in webhook.refused else webhook.status
                if status == 200:
                    # Pictures come as forms.
                    is_json = content.startswith(b"{")
                    webhook.posts.append((self.path, json.loads(content) if is_json else {"form": content}))
                self.send_response(status)
                self.end_headers()
                # What Slack answers; Telegram's plugin reads no further than the status.
                self.wfile.write(b"ok")

            def log_request(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be down."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def open_webhook() -> Iterator[Webhook]:
    """Yield a webhook that listens."""
    webhook = Webhook()
    webhook.start()
    yield webhook
    webhook.stop()


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            command = line.strip().upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(email.message_from_bytes(b"".join(lines)))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 yes\r\n")
            if command == b"QUIT":
                return


@contextmanager
def open_mailbox() -> Iterator[tuple[int, list[Message]]]:
    """Yield the port of an SMTP server and the mails that it takes."""
    mails: list[Message] = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.daemon_threads = True
        server.mails = mails  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1], mails
        server.shutdown()
