"""Cursors. To the caller they are opaque; inside they are the last row's place in its order."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError

from app.api.schemas import EventId, Instant
from app.domain import base64url
from app.domain.errors import RuleViolation
from app.queries.pages import Page, Slice

END = "end"  # instead of a cursor: behind all that is there


class CursorUnreadable(RuleViolation):
    """The cursor is not one of ours."""

    code = "cursor_unreadable"


async def _newest_first(
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Page:
    return _page(limit, cursor, None)


async def _any_order(
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    updated_after: Annotated[
        Instant | None,
        Query(description="In order of change since then; keep `next_cursor` and come back with it. Rows may repeat."),
    ] = None,
) -> Page:
    return _page(limit, cursor, updated_after)


async def _in_order(
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[
        str | None,
        Query(
            max_length=200,
            description="The `next_cursor` of the page before; `end`: only what comes from now on. "
            "Left out: the oldest that are kept.",
        ),
    ] = None,
    after: Annotated[
        EventId | None,
        Query(
            description="Instead of `cursor`: begin with what follows this event, such as the last you have handled. "
            "404 once it is no longer kept."
        ),
    ] = None,
) -> Page:
    if after is not None and cursor is not None:
        raise RequestValidationError([{"loc": ("query", "after"), "msg": "give after or cursor, not both"}])
    if after is not None:
        return Page(limit=limit, after_event=after)
    if cursor == END:
        return Page(limit=limit, is_from_end=True)
    page = _page(limit, cursor, None)
    if page.after is not None:
        raise CursorUnreadable("This cursor comes from another list.")
    return page


InOrder = Annotated[Page, Depends(_in_order)]
NewestFirst = Annotated[Page, Depends(_newest_first)]
AnyOrder = Annotated[Page, Depends(_any_order)]


def next_cursor(found: Slice[Any]) -> str | None:
    if found.next_change is not None:
        return _encode({"t": found.next_change[0], "id": found.next_change[1].hex})
    return _encode({"id": found.next_after.hex}) if found.next_after is not None else None


def listing(request: Request, response: Response, found: Slice[Any], data: list[Any]) -> Mapping[str, Any]:
    """The reply of a list route, with RFC 8288's Link header."""
    cursor = next_cursor(found)
    if cursor is not None:
        url = request.url.remove_query_params("after").include_query_params(cursor=cursor)
        response.headers["link"] = f'<{url}>; rel="next"'
    return {"data": data, "next_cursor": cursor}


def _page(limit: int, cursor: str | None, updated_after: datetime | None) -> Page:
    if cursor is None:
        return Page(limit=limit, updated_after=updated_after)
    place = _decode(cursor)
    last = UUID(hex=place["id"])
    if "t" in place:
        return Page(limit=limit, after_change=(place["t"], last))
    return Page(limit=limit, after=last)


def _encode(place: Mapping[str, str]) -> str:
    return base64url.encoded(json.dumps(place).encode())


def _decode(cursor: str) -> dict[str, str]:
    try:
        place = json.loads(base64url.decoded(cursor) or b"")
        transaction = place.get("t", "0")
        if not (
            isinstance(transaction, str) and transaction.isascii() and transaction.isdigit() and len(transaction) < 20
        ):
            raise ValueError("not a transaction id")
        UUID(hex=place["id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CursorUnreadable("Use the `next_cursor` of an earlier reply, unchanged.") from None
    return dict(place)
