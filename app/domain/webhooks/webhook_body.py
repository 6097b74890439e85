"""What one endpoint is sent about one event."""

import json
from collections.abc import Mapping
from typing import Any

from app.domain.webhooks.payload import PayloadKind, rendered, thinned
from app.domain.webhooks.payload_template import read_template


def webhook_body(told: Mapping[str, Any], *, kind: str, template: str | None, content_type: str) -> bytes:
    """`told` is the payload, its `data` as JSON text. Raises TemplateFailed."""
    data = thinned(told["data"]) if kind == PayloadKind.THIN else told["data"]
    if template is None:
        return rendered({**told, "data": data})
    return read_template(template, content_type=content_type).render({**told, "data": json.loads(data)})
