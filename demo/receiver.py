"""Somebody else's server: takes webhooks, and checks each with a library that knows nothing of Zeroten."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True, slots=True)
class Arrival:
    webhook_id: str
    payload: dict[str, Any]
    arrived_at: datetime

    @property
    def seconds(self) -> float:
        """Since what it tells of happened."""
        return (self.arrived_at - datetime.fromisoformat(self.payload["timestamp"])).total_seconds()


class Receiver:
    """`secret` is known only once the endpoint has been made, so nothing is accepted before."""

    def __init__(self) -> None:
        self.secret: str | None = None
        self.arrivals: list[Arrival] = []
        self.refused = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/webhooks"

    @contextmanager
    def running(self) -> Iterator["Receiver"]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """The status to answer with."""
        try:
            Webhook(self.secret or "").verify(body, headers)
        except (WebhookVerificationError, ValueError, RuntimeError):
            self.refused += 1
            return 401
        self.arrivals.append(Arrival(headers["webhook-id"], json.loads(body), datetime.now(UTC)))
        return 204

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(receiver.take(body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The story is told elsewhere."""

        return Handler
