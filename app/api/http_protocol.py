"""What is no HTTP, or a head without end, reaches no application. It is refused by a problem document all the same."""

import re
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.edge import new_request_id
from app.api.problems import refusal

log = structlog.get_logger()

HEAD_LIMIT_BYTES = 65_536
LINGER_SECONDS = 1.0  # whoever is still sending could not read our answer if we hung up at once
OFFER = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)
UNREADABLE = "The request line, a header or a chunk is not as HTTP/1.1 has it."
TOO_LARGE = f"The request line and the headers together are larger than {HEAD_LIMIT_BYTES} bytes."
OFFERED = (
    "Leave the Upgrade header out: in a head that comes in pieces, or behind another request, it cannot be ignored."
)


class HeadRefused(Exception):
    pass


class Http(HttpToolsProtocol):
    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._is_in_head, self._head_bytes = False, 0
        self._has_moved, self._silent_bytes = False, 0
        self._fault, self._is_refused = ("unreadable", UNREADABLE), False

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        began_in_head, self._has_moved = self._is_in_head, False
        super().data_received(data if self._is_in_body else _without_offers(data))
        self._note_silence(data)
        if began_in_head and self._is_in_head:  # a header that does not end is shown to nobody, and kept
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._refuse("head_too_large", TOO_LARGE)

    def _note_silence(self, data: bytes) -> None:
        """Trailers behind a body, and what is written beside the length of a chunk, are nothing we read."""
        self._silent_bytes = 0 if self._has_moved or not self._is_in_body else self._silent_bytes + len(data)
        if self._silent_bytes > HEAD_LIMIT_BYTES:
            self._refuse("head_too_large", TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._has_moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._has_moved = True
        super().on_message_complete()

    @property
    def _is_in_body(self) -> bool:
        return self.cycle is not None and self.cycle.more_body and not self._is_in_head

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > HEAD_LIMIT_BYTES:
            self._fault = ("head_too_large", TOO_LARGE)
        elif self.parser.should_upgrade():  # the parser would end the request here, and take its body for the next one
            self._fault = ("unreadable", OFFERED)
        else:
            super().on_headers_complete()
            return
        raise HeadRefused  # into the parser, which stops and calls `send_400_response`

    def send_400_response(self, *_: object) -> None:
        """uvicorn calls it so whatever the parser stumbled over."""
        self._refuse(*self._fault)

    def _refuse(self, code: str, detail: str) -> None:
        self._is_in_head = False
        last = self.cycle  # the last request whose head was read: this one, if its body is what is wrong
        if last is not None and not last.more_body and not last.response_complete:
            last.keep_alive = False  # it came before, and is still to be answered; then that is all
            self.flow.pause_reading()
            return
        is_answered = last is not None and last.more_body and last.response_started
        if is_answered:
            self.transport.close()
        else:
            self._is_refused = True
            self.transport.write(_refusal(code, detail))
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _without_offers(data: bytes) -> bytes:
    """Where a caller offers to go on in HTTP/2, as Java's does unasked, the parser would take the body for that."""
    if b"pgrade" not in data:
        return data
    end = data.find(b"\r\n\r\n")
    end = end if end >= 0 else len(data)
    return OFFER.sub(b"\r\nx-offered:", data[:end]) + data[end:]


def _refusal(code: str, detail: str) -> bytes:
    request_id = new_request_id()
    reply = refusal(code, detail, request_id=request_id)
    log.info("request answered", request_id=request_id, route="unmatched", status=reply.status_code)
    headers = [*reply.raw_headers, (b"x-request-id", request_id.encode()), (b"connection", b"close")]
    lines = [f"HTTP/1.1 {reply.status_code} {HTTPStatus(reply.status_code).phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", bytes(reply.body)])
