"""Bringing people in from a CRM or a sheet, through the connector that also tells it about answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.api.dependencies import Now, ReadTx, ServicesOf, Tx, WebhookReader, WebhookWriter
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import EndpointId, ImportId, Instant, Reply, Request, Whole
from app.db import engine as database
from app.domain.connectors.catalogue import usual_pull
from app.domain.connectors.pages import Place
from app.domain.connectors.pull import LONGEST_HOURS, SHORTEST_HOURS, USUAL_HOURS, PullNotSet, PullState, state_of
from app.domain.connectors.pulled_fields import MOST_FIELDS, PullUnusable
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.webhook_endpoint import WebhookEndpointNotFound
from app.operations import pulls as operations
from app.queries.api_keys import Caller
from app.queries.pulls import find_pull
from app.queries.webhook_endpoints import get_endpoint

routes = router("webhooks")
PLACE = "/v1/webhook-endpoints/{endpoint_id}/pull"
FIELDS = (
    "A field there, and what it is here: `email`, `phone`, `external_id`, `name` (of several fields, joined), "
    "`locale`, `time_zone`, `properties.…`, `properties.…|number`, `properties.…|flag`, `account.external_id`, "
    "`account.name`, `account.owner`, `account.revenue`, `account.tier`, `account.renews_on`, "
    "`account.properties.…`, `unsubscribed`."
)
Fields = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=100)]],
    Field(min_length=1, max_length=MOST_FIELDS, description=FIELDS, examples=[{"email": "email"}]),
]


class PullSettings(Request):
    every_hours: Annotated[Whole, Field(ge=SHORTEST_HOURS, le=LONGEST_HOURS)] = USUAL_HOURS
    fields: Fields | None = Field(None, description="Left out: those that every account of the service has.")


class Pull(Reply):
    """How people are brought in, and how that goes. What was read shows as an import."""

    endpoint_id: EndpointId
    state: PullState
    every_hours: int | None = Field(description="Null while it is off.")
    fields: dict[str, str] = Field(description="While it is off, what would be read unless told otherwise.")
    next_at: Instant | None = Field(description="While nothing is being read.")
    read_until: Instant | None = Field(description="Changes up to then are here, where the service tells when.")
    last_started_at: Instant | None
    last_finished_at: Instant | None
    last_import_id: ImportId | None = Field(description="What was read last; none where nothing was new.")
    last_failure: Failure | None
    last_failure_hint: str | None = Field(description="What to do about it.")
    last_reply: str | None = Field(description="What the service said about it.")

    @classmethod
    def of(cls, endpoint: Mapping[str, Any], pull: Mapping[str, Any] | None) -> "Pull":
        known = pull or {}
        failure = Failure(known["last_failure"]) if known.get("last_failure") else None
        return cls(
            endpoint_id=endpoint["id"],
            state=state_of(pull),
            every_hours=known.get("every_hours"),
            fields=known.get("fields") or usual_pull(endpoint["kind"]),
            next_at=_next_at(known),
            read_until=_read_until(known),
            last_started_at=known.get("started_at"),
            last_finished_at=known.get("finished_at"),
            last_import_id=known.get("last_import_id"),
            last_failure=failure,
            last_failure_hint=failure.hint if failure else None,
            last_reply=known.get("last_reply"),
        )


def _next_at(pull: Mapping[str, Any]) -> datetime | None:
    return pull.get("due_at") if pull.get("claim_id") is None else None


def _read_until(pull: Mapping[str, Any]) -> datetime | None:
    return Place.of(pull["cursor"]).since if pull.get("cursor") else None


@routes.get(PLACE, summary="Read how people are pulled", responses=refuses(WebhookEndpointNotFound))
async def get_pull(endpoint_id: EndpointId, caller: WebhookReader, tx: ReadTx, now: Now) -> Pull:
    return await _shown(tx, caller, endpoint_id, now)


@routes.put(PLACE, summary="Pull people every few hours", responses=refuses(WebhookEndpointNotFound, PullUnusable))
async def set_pull(
    endpoint_id: EndpointId, body: PullSettings, caller: WebhookWriter, tx: Tx, now: Now, services: ServicesOf
) -> Pull:
    """Through a connector of HubSpot, Salesforce, Zoho CRM or Google Sheets: at once, then every few hours whatever
    has changed since. Rows are upserts, as in a file. Whoever opted out there is unsubscribed here, never the reverse.
    """
    workspace_id, vault = caller.workspace_id, services.vault
    await operations.set_pull(
        tx, vault, workspace_id, endpoint_id, every_hours=body.every_hours, fields=body.fields, now=now
    )
    return await _shown(tx, caller, endpoint_id, now)


@routes.delete(PLACE, status_code=204, summary="Stop pulling people", responses=refuses(WebhookEndpointNotFound))
async def remove_pull(endpoint_id: EndpointId, caller: WebhookWriter, tx: Tx, now: Now) -> None:
    """Who was brought in stays."""
    await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)
    await operations.remove_pull(tx, caller.workspace_id, endpoint_id)


@routes.post(PLACE, status_code=202, summary="Pull people now", responses=refuses(WebhookEndpointNotFound, PullNotSet))
async def pull_now(endpoint_id: EndpointId, caller: WebhookWriter, tx: Tx, now: Now) -> Pull:
    await operations.pull_now(tx, caller.workspace_id, endpoint_id, now=now)
    return await _shown(tx, caller, endpoint_id, now)


async def _shown(tx: database.Tx | database.ReadTx, caller: Caller, endpoint_id: EndpointId, now: datetime) -> Pull:
    endpoint = await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now)
    return Pull.of(endpoint, await find_pull(tx, caller.workspace_id, endpoint_id))
