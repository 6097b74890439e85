"""The feed of events: for whoever cannot be reached by webhooks, or wants to make sure."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from fastapi import Request as HttpRequest
from pydantic import Field

from app.api.dependencies import EventReader, Now, ReadTx, Services, ServicesOf
from app.api.event_names import EventName
from app.api.pagination import InOrder, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, EventId, Listing, Reply, WorkspaceId
from app.domain.events import SUBSCRIBABLE, EventNotFound
from app.domain.webhooks.payload import payload
from app.queries import events as queries
from app.queries.api_keys import Caller
from app.queries.events import EventFilter, FeedPlace
from app.queries.pages import Page, Slice

routes = router("events")

LONGEST_WAIT_SECONDS = 30  # proxies hang up after 60


class Event(Reply):
    """Exactly what a webhook's body holds."""

    id: EventId
    type: str = Field(description="Which change this tells of; `webhooks` describes the `data` of each.")
    timestamp: str = Field(description="When it happened.", json_schema_extra={"format": "date-time"})
    schema_version: int
    livemode: bool = Field(description="False in the test workspace.")
    workspace_id: WorkspaceId
    data: dict[str, Any]


class EventFeed(Listing[Event]):
    """Never at its end: `next_cursor` is always there."""

    next_cursor: str = Field(description="Send as `cursor` to go on; also at the end, where you can come back with it.")


Found = Slice[Any]
Look = Callable[[Page], Awaitable[Found]]


async def _filter(
    event_types: Annotated[
        list[EventName] | None,
        Query(
            alias="type",
            max_length=len(SUBSCRIBABLE),
            description="Repeat for several. A band's name brings what concerns it.",
        ),
    ] = None,
    campaign_id: Annotated[CampaignId | None, Query()] = None,
) -> EventFilter:
    return EventFilter(event_types or (), campaign_id)


@routes.get(
    "/v1/events",
    response_model=EventFeed,
    summary="Follow the feed of events",
    responses=refuses(EventNotFound, "too_many_waiting"),
)
async def list_events(
    caller: EventReader,
    page: InOrder,
    services: ServicesOf,
    now: Now,
    request: HttpRequest,
    response: Response,
    wanted: Annotated[EventFilter, Depends(_filter)],
    wait_seconds: Annotated[
        int,
        Query(ge=0, le=LONGEST_WAIT_SECONDS, description="Where there is nothing yet, reply as soon as there is."),
    ] = 0,
) -> Mapping[str, Any]:
    """Oldest first, for 30 days. Nothing is skipped, however late it was committed: whoever comes back with
    `next_cursor` sees every event once. An event appears when all transactions that began before its own have ended,
    usually within milliseconds.

    Who remembers no cursor, but the last event they handled, goes on with `after`: what follows it in this feed, whose
    order is not always the one in which webhooks arrive.

    With `wait_seconds` and `next_cursor`, one request after another, events arrive as they happen and no address that
    we could call is needed."""

    async def look(page: Page) -> Found:
        async with services.engine.read() as tx:
            return await queries.list_events(tx, caller.workspace_id, wanted, page, now=now)

    found = await look(page)
    if not found.rows and wait_seconds:
        with services.event_watch.seat(caller.key_id), _timed(request):
            waiting = _wait_for_rows(look, found, page=page, caller=caller, services=services, seconds=wait_seconds)
            found = await _while_connected(request, waiting) or found
    return listing(request, response, found, [shown_event(caller, row) for row in found.rows])


@contextmanager
def _timed(request: HttpRequest) -> Iterator[None]:
    """Notes how long was waited, which is not to count as slowness."""
    clock = asyncio.get_running_loop().time
    began_at = clock()
    yield
    request.state.waited_seconds = clock() - began_at


async def _wait_for_rows(
    look: Look, found: Found, *, page: Page, caller: Caller, services: Services, seconds: float
) -> Found:
    """What there is when the time is up. No transaction is open while we wait."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    while not found.rows and found.next_change:
        place = FeedPlace(caller.workspace_id, *found.next_change)
        if not await services.event_watch.wait(place, seconds=until - clock()):
            break
        found = await look(Page(limit=page.limit, after_change=found.next_change))
    return found


async def _while_connected(request: HttpRequest, waiting: Coroutine[Any, Any, Found]) -> Found | None:
    """None when the caller hangs up meanwhile, who would otherwise go on being counted among those who wait."""
    found, left = asyncio.create_task(waiting), asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait((found, left), return_when=asyncio.FIRST_COMPLETED)
        if left.done():
            left.result()
        return found.result() if found.done() else None
    finally:
        found.cancel()
        left.cancel()


async def _hung_up(request: HttpRequest) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@routes.get("/v1/events/{event_id}", response_model=Event, summary="Read an event", responses=refuses(EventNotFound))
async def get_event(event_id: EventId, caller: EventReader, tx: ReadTx, now: Now) -> Mapping[str, Any]:
    return shown_event(caller, await queries.get_event(tx, caller.workspace_id, event_id, now=now))


def shown_event(caller: Caller, row: Mapping[Any, Any]) -> dict[str, Any]:
    return payload(
        row["id"],
        type=row["type"],
        occurred_at=row["occurred_at"],
        schema_version=row["schema_version"],
        livemode=caller.livemode,
        workspace_id=caller.workspace_id,
        data=row["body"],
    )
