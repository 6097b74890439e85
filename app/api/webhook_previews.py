"""What an endpoint would be sent, without sending it."""

import json
from typing import Any

from fastapi import Request as HttpRequest
from pydantic import Field

from app.api.authentication import require_scope
from app.api.dependencies import Now, ReadTx, WebhookWriter
from app.api.event_names import EventName
from app.api.event_samples import made_up
from app.api.events import shown_event
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import EndpointId, EventId, Reply, Request, absent
from app.api.webhook_options import NO_TEMPLATE, Payload, Template
from app.domain.connectors.catalogue import EndpointKind
from app.domain.events import EventNotFound, EventType
from app.domain.webhooks.payload_template import JSON, TemplateFailed, TemplateRefused
from app.domain.webhooks.webhook_body import webhook_body
from app.domain.webhooks.webhook_endpoint import NotForConnectors, WebhookEndpointNotFound
from app.queries import events
from app.queries.api_keys import Caller
from app.queries.webhook_endpoints import get_endpoint

routes = router("webhooks")


class PayloadPreview(Request):
    """What is left out is as the endpoint has it, so a template can be tried before it is saved."""

    event_id: EventId | None = Field(None, description="One that happened. Without it, one is made up.")
    event_type: EventName = Field(EventType.RESPONSE_CREATED, description="Of the one that is made up.")
    payload: Payload = absent()
    template: Template | None = None

    def columns(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if "payload" in self.model_fields_set:
            given["payload"] = self.payload
        if "template" in self.model_fields_set:
            given |= self.template.columns() if self.template else NO_TEMPLATE
        return given


class PreviewedPayload(Reply):
    content_type: str = Field(examples=[JSON])
    body: str = Field(examples=['{"text": "Fast, friendly, a bit pricey."}'])


@routes.post(
    "/v1/webhook-endpoints/{endpoint_id}/preview",
    summary="Preview what a webhook endpoint is sent",
    responses=refuses(WebhookEndpointNotFound, EventNotFound, TemplateRefused, NotForConnectors),
)
async def preview_payload(
    endpoint_id: EndpointId, body: PayloadPreview, caller: WebhookWriter, tx: ReadTx, now: Now, request: HttpRequest
) -> PreviewedPayload:
    """Nothing is sent and nothing is kept. An event that happened is shown to keys with the scope `events:read`."""
    endpoint = {**await get_endpoint(tx, caller.workspace_id, endpoint_id, now=now), **body.columns()}
    if endpoint["kind"] != EndpointKind.WEBHOOK:
        raise NotForConnectors("A connector tells in words of its own; send it a test.")
    told = await _told(body, caller, tx, now, request)
    content_type = endpoint["template_content_type"] or JSON
    try:
        shown = webhook_body(
            {**told, "data": json.dumps(told["data"], ensure_ascii=False)},
            kind=endpoint["payload"],
            template=endpoint["template"],
            content_type=content_type,
        )
    except TemplateFailed as error:
        raise TemplateRefused(str(error)) from None
    return PreviewedPayload(content_type=content_type, body=shown.decode())


async def _told(body: PayloadPreview, caller: Caller, tx: ReadTx, now: Now, request: HttpRequest) -> dict[str, Any]:
    if body.event_id is None:
        return made_up(request.app.openapi(), caller, body.event_type)
    require_scope(caller, "events:read")
    return shown_event(caller, await events.get_event(tx, caller.workspace_id, body.event_id, now=now))
