"""What an event looks like, for whoever builds on it before the next one happens."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Annotated, Any

from fastapi import Query
from fastapi import Request as HttpRequest

from app.api.dependencies import EventReader, Now, ReadTx
from app.api.event_names import EventName
from app.api.events import Event, shown_event
from app.api.routing import router
from app.api.schemas import Listing
from app.domain.events import BAND_ALIASES, EventType
from app.domain.ids import shown
from app.queries import events as queries
from app.queries.api_keys import Caller

routes = router("events")

SAMPLES = 3
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "promoter": {"score": 9, "band": "promoter", "comment": "Fast and friendly."},
    "passive": {"score": 8, "band": "passive", "comment": "Good, a bit pricey."},
    "detractor": {"score": 3, "band": "detractor", "comment": "It came two weeks late."},
}


@routes.get("/v1/events/sample", summary="See what an event looks like", response_model=Listing[Event])
async def sample_events(
    caller: EventReader,
    tx: ReadTx,
    now: Now,
    request: HttpRequest,
    name: Annotated[EventName, Query(alias="type")],
) -> Mapping[str, Any]:
    """Up to three that happened lately, the newest first; where none did, one that is made up. What is built from them
    fits the bodies of webhooks."""
    found = await queries.list_latest_events(tx, caller.workspace_id, name, limit=SAMPLES, now=now)
    return {"data": [shown_event(caller, row) for row in found] or [made_up(request.app.openapi(), caller, name)]}


def made_up(document: Mapping[str, Any], caller: Caller, name: str) -> dict[str, Any]:
    """The example of the contract, as if it were the caller's."""
    event_type = EventType.RESPONSE_CREATED if name in BAND_ALIASES else EventType(name)
    webhook = document["webhooks"][event_type.value]["post"]["requestBody"]
    schema = webhook["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    event: dict[str, Any] = deepcopy(document["components"]["schemas"][schema]["examples"][0])
    if name in BAND_ALIASES:
        event["data"]["response"].update(ANSWERS[BAND_ALIASES[name]])
    return {**event, "livemode": caller.livemode, "workspace_id": shown("workspace", caller.workspace_id)}
