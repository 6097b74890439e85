"""What we send: one webhook for each type of event."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from app.api.event_models import ALIASES_OF, PAYLOADS, summary_of
from app.domain.events import EventType

PARAMETERS: dict[str, Any] = {
    "WebhookId": {
        "name": "webhook-id",
        "in": "header",
        "required": True,
        "description": "The event's id, the same at every attempt: what you have seen you can skip.",
        "schema": {"type": "string"},
    },
    "WebhookTimestamp": {
        "name": "webhook-timestamp",
        "in": "header",
        "required": True,
        "description": "Of this attempt, in seconds since 1970. Refuse what is older than five minutes.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "WebhookSignature": {
        "name": "webhook-signature",
        "in": "header",
        "required": True,
        "description": "`v1,` (HMAC-SHA256) or `v1a,` (ed25519) and base64 of the signature of id, timestamp and body, "
        "joined by dots. During a rotation there are several, with a space between them; one that fits is enough.",
        "schema": {"type": "string"},
    },
}
RESPONSES: dict[str, Any] = {
    "WebhookTaken": {"description": "Anything else, or silence for 15 seconds, means: come back later."},
    "WebhookGone": {"description": "Nobody listens here any more: the endpoint is disabled."},
}
ANSWERS = {
    "2XX": {"$ref": "#/components/responses/WebhookTaken"},
    "410": {"$ref": "#/components/responses/WebhookGone"},
}


def _endpoint(model: type[BaseModel]) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def receive(body: Any) -> Response:
        raise NotImplementedError  # described here, written by whoever listens

    receive.__annotations__["body"] = model
    return receive


def _described(event_type: EventType) -> str | None:
    aliases = [f"`{alias}`" for alias in ALIASES_OF.get(event_type, ())]
    return f"Also sent to those who subscribe to {', '.join(aliases)}, where the band is theirs." if aliases else None


def _webhooks() -> APIRouter:
    webhooks = APIRouter(generate_unique_id_function=lambda route: route.name)
    for event_type, model in PAYLOADS.items():
        webhooks.add_api_route(
            event_type.value,
            _endpoint(model),
            methods=["POST"],
            name=f"receive_{event_type.replace('.', '_')}",
            summary=summary_of(event_type),
            description=_described(event_type),
            tags=["webhooks"],
        )
    return webhooks


ROUTES = _webhooks().routes


def tidy(operation: dict[str, Any]) -> None:
    operation["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS]
    operation["responses"] = ANSWERS
