"""New ids, made before the statement that stores them, so that a repeated statement stores the same row."""

import os
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from asyncpg.pgproto import pgproto

from app.domain.ids import uuid_v7

DRAWN_AT_ONCE = 64


def new_id(now: datetime) -> UUID:
    return uuid_v7(_milliseconds(now), os.urandom(10))


def new_ids(now: datetime) -> Iterator[UUID]:
    """As many as are wanted, at a third of the cost: the driver's UUID is one like any other, made in C."""
    begin = _milliseconds(now).to_bytes(6, "big")
    while True:
        entropy = os.urandom(10 * DRAWN_AT_ONCE)
        for at in range(0, len(entropy), 10):
            tail = entropy[at : at + 10]
            yield pgproto.UUID(b"%b%c%c%c%b" % (begin, 0x70 | tail[0] & 0x0F, tail[1], 0x80 | tail[2] & 0x3F, tail[3:]))


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
