"""Idempotency-Key for POST routes that make something. In a route, after its caller:

    async def create_campaign(body: …, caller: CampaignWriter, once: Idempotency, tx: Tx, now: Now) -> Campaign:
        campaign_id = once.id or once.keep((await operations.create_campaign(tx, …)).id)
        return shown(await get_campaign(tx, caller.workspace_id, campaign_id))

A repeated call finds `once.id` (or `once.ids`) and reads the thing again; status and header are set here. For rows of
a bulk, see `EachOnce`.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from app.api.dependencies import Now, Tx
from app.api.problems import Refused
from app.db import engine as database
from app.domain.response import IdempotencyKeyReused
from app.operations.idempotency import (
    KeyedRequest,
    Outcome,
    begin_each_once,
    begin_once,
    remember_outcome,
    remember_outcomes,
)
from app.queries.api_keys import Caller

LONGEST_KEY = 255
ROW_STATUS = 200  # of a row that came again, whatever it was at first


class Once:
    def __init__(self, ids: tuple[UUID, ...] | None = None) -> None:
        """`ids`: what an earlier call with this key made; None when this is the first, or has no key."""
        self.ids = ids
        self.kept: tuple[UUID, ...] | None = None

    @property
    def id(self) -> UUID | None:
        return self.ids[0] if self.ids else None

    def keep(self, *ids: UUID) -> UUID:
        """What this call made, to be read again by a repeated one. Returns the first."""
        self.kept = ids
        return ids[0]


def read_idempotency_key(request: Request) -> str | None:
    """Raises Refused."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Refused(
            "idempotency_key_unusable", f"An Idempotency-Key is 1 to {LONGEST_KEY} printable ASCII characters."
        )
    return key


async def _once(
    request: Request,
    response: Response,
    tx: Tx,
    now: Now,
    _: Annotated[str | None, Header(alias="Idempotency-Key")] = None,  # described in openapi/parameters.py
) -> AsyncIterator[Once]:
    idempotency_key = read_idempotency_key(request)
    if idempotency_key is None:
        yield Once()
        return
    keyed = await _keyed_request(request, idempotency_key)
    earlier = await begin_once(tx, keyed, now=now)
    if earlier is not None:
        response.status_code = earlier.status
        response.headers["idempotent-replayed"] = "true"
        yield Once(earlier.ids)
        return
    once = Once()
    yield once
    if once.kept is None:
        raise RuntimeError(f"{_route(request)} made something under an Idempotency-Key and did not keep its id")
    status = response.status_code or request.scope["route"].status_code or 200
    await remember_outcome(tx, keyed, status=status, ids=once.kept, now=now)


# scope="function": stored before the commit, in the transaction of the route
Idempotency = Annotated[Once, Depends(_once, scope="function")]


@dataclass(frozen=True, slots=True)
class EachOnce:
    """Rows of a bulk, each remembered by itself: a repeat finds those that are here, and what was refused may come
    again. Without an Idempotency-Key nothing is known and nothing remembered.
    """

    keyed: Sequence[KeyedRequest] = ()
    ends: Mapping[int, UUID | IdempotencyKeyReused] = field(default_factory=dict)  # by place, of an earlier call

    async def keep(self, tx: database.Tx, made: Mapping[int, UUID], *, now: Now) -> None:
        """What this call made of others, by their place."""
        if self.keyed:
            ended = [(self.keyed[index], Outcome(ROW_STATUS, (row_id,))) for index, row_id in made.items()]
            await remember_outcomes(tx, ended, now=now)


async def each_once(request: Request, tx: database.Tx, rows: Sequence[Any], *, now: Now) -> EachOnce:
    """In a route, after its caller. Raises Refused, IdempotencyKeyInUse."""
    key = read_idempotency_key(request)
    if key is None:
        return EachOnce()
    caller, route = _caller(request), _route(request)
    keyed = [
        KeyedRequest(
            workspace_id=caller.workspace_id,
            key_digest=_digest(caller.key_id.hex, route, key, str(index)),
            request_digest=_digest(json.dumps(row, sort_keys=True)),
        )
        for index, row in enumerate(rows)
    ]
    earlier = await begin_each_once(tx, _digest(caller.key_id.hex, route, key), keyed, now=now)
    return EachOnce(
        keyed, {index: end.ids[0] if isinstance(end, Outcome) else end for index, end in enumerate(earlier) if end}
    )


def _caller(request: Request) -> Caller:
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise RuntimeError(f"{_route(request)} asks for Idempotency before it knows its caller")
    return caller


async def _keyed_request(request: Request, idempotency_key: str) -> KeyedRequest:
    caller = _caller(request)
    sent = json.dumps([request.url.path, request.url.query, json.loads(await request.body() or "null")], sort_keys=True)
    return KeyedRequest(
        workspace_id=caller.workspace_id,
        key_digest=_digest(caller.key_id.hex, _route(request), idempotency_key),
        request_digest=_digest(sent),
    )


def _route(request: Request) -> str:
    return f"{request.method} {request.scope['route'].path}"


def _digest(*parts: str) -> UUID:
    return UUID(bytes=hashlib.sha256("\0".join(parts).encode()).digest()[:16])
