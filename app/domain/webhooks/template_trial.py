"""A template is tried when it is saved, on an answer by somebody who types whatever there is on a keyboard."""

from collections.abc import Collection, Mapping
from typing import Any

from app.domain.webhooks.payload_template import TemplateFailed, TemplateRefused, read_template

TYPED = 'Fine, "really" <b>fine</b> & ☕\\\n\ttab'
INSTANT = "2026-11-22T10:15:00.000000Z"
ZEROS, ONES = "0" * 32, "1" * 32
TRIAL: Mapping[str, Any] = {
    "id": f"evt_{ZEROS}",
    "type": "response.created",
    "timestamp": INSTANT,
    "schema_version": 1,
    "livemode": True,
    "workspace_id": f"ws_{ZEROS}",
    "data": {
        "response": {
            "id": f"resp_{ZEROS}",
            "campaign_id": f"camp_{ZEROS}",
            "channel": "email",
            "score": 9,
            "comment": TYPED,
            "language": "en",
            "may_contact": True,
            "occasion": TYPED,
            "import_id": None,
            "invitation_id": f"inv_{ZEROS}",
            "wave": 0,
            "variant": None,
            "certainty": "confirmed",
            "answered_at": INSTANT,
            "answers": {"why": TYPED},
            "properties": {"order": TYPED},
            "survey_version": 1,
            "recipient_id": f"rcpt_{ONES}",
            "band": "promoter",
            "revision": 1,
        },
        "campaign": {"id": f"camp_{ZEROS}", "name": TYPED, "kind": "transactional", "metric": "nps"},
        "recipient": {
            "id": f"rcpt_{ONES}",
            "external_id": TYPED,
            "email": "ada@example.com",
            "name": TYPED,
            "properties": {"plan": TYPED, "seats": 12, "trial": False},
        },
    },
}


def check_template(source: str, *, content_type: str, event_types: Collection[str]) -> None:
    """Raises TemplateRefused. Only tried where answers are among what the endpoint asks for."""
    template = read_template(source, content_type=content_type)
    if event_types and not any(name.startswith("response.") for name in event_types):
        return
    try:
        template.render(TRIAL)
    except TemplateFailed as error:
        raise TemplateRefused(f"Tried on an answer with quotes in its comment: {error}") from None
