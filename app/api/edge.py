"""What happens to every request, on every route: an id, a cap on its body, a line in the log, a count.

Pure ASGI in one layer: each further layer, and any BaseHTTPMiddleware, would cost more than the work it does.
"""

import os
import time
from functools import cache
from itertools import count
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem_of, refusal
from app.db.troubles import trouble_in

log = structlog.get_logger()

REQUESTS = Counter("zeroten_http_requests_total", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram("zeroten_http_request_seconds", "Time to answer", ["route"])
_requests, _seconds = cache(REQUESTS.labels), cache(SECONDS.labels)  # to find the right one costs more than to count
SLOW_SECONDS = 1.0
MISTAKE = "This is our mistake, and it is in our log under the request id."
PROCESS, NUMBERS = os.urandom(8).hex(), count(1)  # an id for each request without asking for entropy each time
NOT_ENCODED = frozenset({b"", b"identity"})
UNCAPPED = frozenset({"/v1/imports/recipients"})  # streamed in constant memory, with a cap of its own


def new_request_id() -> str:
    return f"req_{PROCESS}{next(NUMBERS):08x}"


class BodyTooLarge(Exception):
    """Raised into whoever reads the body; answered here."""


class BodyEncoded(Exception):
    """How, so that a body nobody unpacks is not taken for garbage."""


class Edge:
    def __init__(self, app: ASGIApp, *, body_limit_bytes: int, log_all: bool) -> None:
        self.app, self.body_limit_bytes, self.log_all = app, body_limit_bytes, log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self.body_limit_bytes)
        try:
            exchange.check_headers()
            await self.app(scope, exchange.receive, exchange.send)
        except BodyTooLarge:
            await exchange.refuse("body_too_large", f"The body is larger than {exchange.limit} bytes.")
        except BodyEncoded as error:
            detail = f"Send the body as it is, without Content-Encoding: {error}."
            await exchange.refuse("unsupported_content_encoding", detail)
        except ClientDisconnect:
            pass  # in the middle of its body: there is nobody to answer, and nothing wrong with us
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets an answer with an id
            await exchange.fail(error)
        finally:
            exchange.account(log_all=self.log_all)


class _Exchange:
    __slots__ = ("_receive", "_send", "limit", "received", "request_id", "scope", "started", "status")

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.request_id = new_request_id()
        self.started, self.status, self.received = time.perf_counter(), 0, 0
        self.limit = limit if scope["path"] not in UNCAPPED else 1 << 40
        scope.setdefault("state", {})["request_id"] = self.request_id

    def check_headers(self) -> None:
        """Raises BodyTooLarge, BodyEncoded."""
        for name, value in self.scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self.limit:
                raise BodyTooLarge
            if name == b"content-encoding" and value.strip().lower() not in NOT_ENCODED:
                raise BodyEncoded(value[:50].decode("latin-1"))

    async def receive(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        if self.received > self.limit:
            raise BodyTooLarge
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())]
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        """The reason goes to the log, once; the caller gets the request id to ask with."""
        trouble = trouble_in(error)
        if trouble is None:
            log.error("request failed", request_id=self.request_id, exc_info=error)
        else:
            log.warning("the database had no answer", request_id=self.request_id, reason=type(error).__name__)
        if self.status:  # half an answer must not look like a whole one
            raise error
        answer = (
            problem_of(trouble, self.request_id)
            if trouble
            else refusal("unexpected", MISTAKE, request_id=self.request_id)
        )
        await answer(self.scope, self._receive, self.send)

    async def refuse(self, code: str, detail: str) -> None:
        answer = refusal(code, detail, request_id=self.request_id)
        await answer(self.scope, self._receive, self.send)

    def account(self, *, log_all: bool) -> None:
        # Waiting for something to happen, as was asked for, is not being slow.
        seconds = time.perf_counter() - self.started - self.scope["state"].get("waited_seconds", 0.0)
        route = getattr(self.scope.get("route"), "path", "unmatched")  # the template: a path may hold a token
        _requests(route, self.scope["method"], self.status).inc()
        _seconds(route).observe(seconds)
        if log_all or self.status >= 400 or self.status == 0 or seconds > SLOW_SECONDS:
            self._log(route, seconds)

    def _log(self, route: str, seconds: float) -> None:
        fields: dict[str, Any] = {"route": route, "method": self.scope["method"], "status": self.status}
        log.info("request answered", request_id=self.request_id, duration_ms=round(seconds * 1000, 1), **fields)
