"""The HTTP requests to send, made once and kept as bytes, so that sending them costs next to nothing."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from app.domain import ids
from bench.tenant import CAMPAIGNS, CHANNELS, PEOPLE, campaign_id, person_id

COMMENT = "Delivery was fast and support friendly, though the invoice came a little late."
COMMENTED = 0.4  # of the answers; the rest is a score without a word
LENGTH_DIGITS = 8


def answer(chance: Random, *, campaigns: int = CAMPAIGNS) -> dict[str, Any]:
    said = {
        "campaign_id": ids.shown("campaign", campaign_id(chance.randint(1, campaigns))),
        "recipient_id": ids.shown("recipient", person_id(chance.randint(1, PEOPLE))),
        "score": chance.randint(0, 10),
        "channel": chance.choice(CHANNELS),
        "properties": {"order": f"A-{chance.randint(1, 10**6)}", "store": "Berlin"},
    }
    return {**said, "comment": COMMENT} if chance.random() < COMMENTED else said


def post(path: str, body: Any, token: str) -> bytes:
    content = json.dumps(body).encode()
    headers = f"content-type: application/json\r\ncontent-length: {len(content)}"
    return b"%s\r\n%s\r\n\r\n%s" % (_head("POST", path, token), headers.encode(), content)


def form(path: str, fields: Mapping[str, str]) -> bytes:
    """As a browser sends it."""
    content = urlencode(fields)
    headers = f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(content)}"
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n\r\n{content}".encode()


def get(path: str, token: str) -> bytes:
    return b"%s\r\n\r\n" % _head("GET", path, token)


def upload(path: str, size: int, token: str) -> bytes:
    """The head of it; the file comes after."""
    return b"%s\r\ncontent-type: text/csv\r\ncontent-length: %d\r\n\r\n" % (_head("POST", path, token), size)


def _head(method: str, path: str, token: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}".encode()


def one_by_one(token: str, *, count: int = 5_000) -> list[bytes]:
    chance = Random(1)
    return [post("/v1/responses", answer(chance), token) for _ in range(count)]


def in_bulk(token: str, *, size: int = 500, count: int = 40) -> list[bytes]:
    chance = Random(2)
    bodies = ({"responses": [answer(chance) for _ in range(size)]} for _ in range(count))
    return [post("/v1/responses/bulk", body, token) for body in bodies]


def write(path: Path, requests: Iterable[bytes]) -> Path:
    """Each with its length before it."""
    path.write_bytes(b"".join(b"%0*d%s" % (LENGTH_DIGITS, len(one), one) for one in requests))
    return path


def read(path: Path) -> list[bytes]:
    content, place, requests = path.read_bytes(), 0, []
    while place < len(content):
        start = place + LENGTH_DIGITS
        place = start + int(content[place:start])
        requests.append(content[start:place])
    return requests
