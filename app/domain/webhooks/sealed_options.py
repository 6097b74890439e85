"""What of an endpoint's options is between us and its receiver: stored sealed, shown masked."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from app.domain.errors import RuleViolation
from app.domain.pointer import json_pointer

MOST_HEADERS = 20
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # RFC 9110
HEADER_VALUE = re.compile(r"[!-~](?:[ -~]{0,1022}[!-~])?")  # what every server reads the same
# What HTTP itself, the body or our signature decides.
RESERVED = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "x-delighted-webhook-signature"}
)
RESERVED_PREFIXES = ("webhook-", "proxy-")
SHOWN_FROM = 16  # characters; of anything shorter the end would give away too much


class HeaderRefused(RuleViolation):
    """This header cannot be sent along."""

    code = "header_refused"


@dataclass(frozen=True, slots=True)
class SealedOptions:
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    delighted_key: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, stored: str) -> Self:
        return cls(**json.loads(stored))

    def text(self) -> str:
        return json.dumps({"headers": dict(self.headers), "delighted_key": self.delighted_key})

    def changed(self, given: Mapping[str, Any]) -> Self:
        """By those of them that are given. Raises HeaderRefused."""
        return type(self)(
            _with_headers(self.headers, given["headers"]) if "headers" in given else self.headers,
            given.get("delighted_key", self.delighted_key),
        )

    def header_hints(self) -> dict[str, str]:
        return {name: masked(value) for name, value in self.headers.items()}


NOTHING_SEALED = SealedOptions()
NAMES = ("headers", "delighted_key")


def not_given_again(
    header_names: Collection[str], delighted_key_hint: str | None, given: Mapping[str, Any]
) -> list[str]:
    """JSON pointers of what is stored and would stay as it is. Of headers, null removes all."""
    headers = given.get("headers", {})
    named = header_names if headers is None else {name.lower() for name in headers}
    missing = [json_pointer("headers", name) for name in sorted(set(header_names) - set(named))]
    return missing + (["/delighted_key"] if delighted_key_hint and "delighted_key" not in given else [])


def _with_headers(before: Mapping[str, str], given: Mapping[str, str | None] | None) -> dict[str, str]:
    """Those given are set, null removes one, and None all."""
    after = {**before, **_checked(given)} if given is not None else {}
    kept = {name: value for name, value in after.items() if value is not None}
    if len(kept) > MOST_HEADERS:
        raise HeaderRefused(f"At most {MOST_HEADERS} headers are sent along.", pointer="/headers")
    return kept


def masked(secret: str) -> str:
    return f"…{secret[-4:]}" if len(secret) >= SHOWN_FROM else "…"


def _checked(headers: Mapping[str, str | None]) -> dict[str, str | None]:
    """By name in lower case."""
    lowered: dict[str, str | None] = {}
    for name, value in headers.items():
        _check_header(name, value)
        if name.lower() in lowered:
            raise HeaderRefused("This header is given twice.", pointer=json_pointer("headers", name))
        lowered[name.lower()] = value
    return lowered


def _check_header(name: str, value: str | None) -> None:
    lowered, pointer = name.lower(), json_pointer("headers", name)
    if not HEADER_NAME.fullmatch(name):
        detail = "A name has up to 64 letters, digits and other characters that HTTP allows there."
        raise HeaderRefused(detail, pointer=pointer)
    if lowered in RESERVED or lowered.startswith(RESERVED_PREFIXES):
        raise HeaderRefused("We send this header ourselves.", pointer=pointer)
    if value is not None and not HEADER_VALUE.fullmatch(value):
        detail = "A value has up to 1,024 printable ASCII characters and no space at its ends."
        raise HeaderRefused(detail, pointer=pointer)
