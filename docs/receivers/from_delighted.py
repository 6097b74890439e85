"""Our events in the words of Delighted's webhooks, for a receiver that was written for those. Python 3.11 or newer.

Verify first (receiver.py shows how), then hand what comes out of this to the code that you have.
"""

from datetime import datetime
from typing import Any

TYPES = {
    "response.created": "survey_response.created",
    "response.updated": "survey_response.updated",
    "response.band_changed": "survey_response.updated",
    "recipient.unsubscribed": "unsubscribe.created",
}


def as_delighted(event: dict[str, Any]) -> dict[str, Any] | None:
    """None for what Delighted never told. `event` is the body of a webhook, parsed."""
    event_type, data = TYPES.get(event["type"]), event["data"]
    if event_type is None or data.get("redacted"):  # nothing is left to tell of people who were erased
        return None
    told = (
        unsubscribed(data["recipient"]) if event_type == "unsubscribe.created" else answered(data, event["timestamp"])
    )
    return {"event_type": event_type, "event_id": event["id"], "event_data": told}


def answered(data: dict[str, Any], told_at: str) -> dict[str, Any]:
    response, recipient = data["response"], data["recipient"]
    properties = {**(recipient["properties"] if recipient else {}), **response["properties"]}
    return {
        "id": response["id"],
        "person": {name: recipient[name] for name in ("id", "email", "name")} if recipient else None,
        "survey_type": data["campaign"]["metric"],
        "score": response["score"],
        "comment": response["comment"],
        "permalink": None,
        "created_at": seconds(response["answered_at"]),
        "updated_at": seconds(told_at),
        "person_properties": properties or None,
        "notes": [],
        "tags": [],
        "additional_answers": [],
    }


def unsubscribed(recipient: dict[str, Any]) -> dict[str, Any]:
    return {
        "person_id": recipient["id"],
        "email": recipient["email"],
        "name": recipient["name"],
        "unsubscribed_at": seconds(recipient["unsubscribed_at"]),
    }


def seconds(instant: str) -> int:
    """Since 1970, as Delighted wrote times."""
    return int(datetime.fromisoformat(instant).timestamp())
