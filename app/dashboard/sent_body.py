"""What a delivery carries, as people read it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx
from app.domain.connectors.catalogue import EndpointKind
from app.domain.webhooks.payload import PayloadKind, payload
from app.domain.webhooks.payload_template import JSON, TemplateFailed
from app.domain.webhooks.webhook_body import webhook_body
from app.queries.api_keys import Caller
from app.queries.deliveries import find_sent_event


@dataclass(frozen=True, slots=True)
class SentBody:
    text: str
    content_type: str
    failed: str | None = None  # why the endpoint's template gave nothing to send


async def sent_body(tx: ReadTx, caller: Caller, endpoint: Mapping[str, Any], delivery_id: UUID) -> SentBody | None:
    """As the endpoint has it now; of a connector, the event that it puts into words. None once that is gone."""
    event = await find_sent_event(tx, caller.workspace_id, delivery_id)
    if event is None:
        return None
    told = payload(
        event["id"], type=event["type"], occurred_at=event["occurred_at"], schema_version=event["schema_version"],
        livemode=caller.livemode, workspace_id=caller.workspace_id, data=json.dumps(event["body"], ensure_ascii=False),
    )  # fmt: skip
    if endpoint["kind"] != EndpointKind.WEBHOOK:
        return _shown(webhook_body(told, kind=PayloadKind.FULL, template=None, content_type=JSON), JSON)
    template, content_type = endpoint["template"], endpoint["template_content_type"] or JSON
    try:
        body = webhook_body(told, kind=endpoint["payload"], template=template, content_type=content_type)
    except TemplateFailed as error:
        return SentBody("", content_type, failed=str(error))
    return _shown(body, content_type)


def _shown(body: bytes, content_type: str) -> SentBody:
    text = body.decode()
    return SentBody(
        json.dumps(json.loads(text), indent=2, ensure_ascii=False) if content_type == JSON else text, content_type
    )
