"""The feed of events: for whoever cannot be reached by webhooks, or wants to make sure."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi import Request as HttpRequest
from pydantic import Field

from app.api.dependencies import EventReader, Now, ReadTx
from app.api.event_names import EventName
from app.api.pagination import InOrder, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, EventId, Reply, WorkspaceId
from app.domain.events import SUBSCRIBABLE, EventNotFound
from app.domain.payload import payload
from app.queries import events as queries
from app.queries.api_keys import Caller

routes = router("events")


class Event(Reply):
    """Exactly what a webhook's body holds."""

    id: EventId
    type: str = Field(description="Which change this tells of; `webhooks` describes the `data` of each.")
    timestamp: str = Field(description="When it happened.", json_schema_extra={"format": "date-time"})
    schema_version: int
    livemode: bool = Field(description="False in the test workspace.")
    workspace_id: WorkspaceId
    data: dict[str, Any]


class EventPage(Reply):
    data: list[Event]
    next_cursor: str = Field(description="Send as `after` to go on; also at the end, where you can come back with it.")


@routes.get("/v1/events", response_model=EventPage, summary="Follow the feed of events")
async def list_events(
    caller: EventReader,
    tx: ReadTx,
    page: InOrder,
    now: Now,
    request: HttpRequest,
    response: Response,
    types: Annotated[
        list[EventName] | None,
        Query(max_length=len(SUBSCRIBABLE), description="Repeat for several. A band's name brings what concerns it."),
    ] = None,
    campaign_id: Annotated[CampaignId | None, Query()] = None,
) -> Mapping[str, Any]:
    """Oldest first, for 30 days. Nothing is skipped, however late it was committed: whoever comes back with
    `next_cursor` sees every event once. An event appears when all transactions that began before its own have ended,
    usually within milliseconds."""
    wanted = queries.EventFilter(types or (), campaign_id)
    found = await queries.list_events(tx, caller.workspace_id, wanted, page, now=now)
    return listing(request, response, found, [_shown(caller, row) for row in found.rows], parameter="after")


@routes.get("/v1/events/{event_id}", response_model=Event, summary="Read an event", responses=refuses(EventNotFound))
async def get_event(event_id: EventId, caller: EventReader, tx: ReadTx, now: Now) -> Mapping[str, Any]:
    return _shown(caller, await queries.get_event(tx, caller.workspace_id, event_id, now=now))


def _shown(caller: Caller, row: Mapping[Any, Any]) -> dict[str, Any]:
    return payload(
        row["id"],
        type=row["type"],
        occurred_at=row["occurred_at"],
        schema_version=row["schema_version"],
        livemode=caller.livemode,
        workspace_id=caller.workspace_id,
        data=row["body"],
    )
