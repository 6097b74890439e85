"""A recipient as the API and the events show them, out of a row that also has their account and last answer."""

from collections.abc import Mapping
from typing import Any

from app.domain import ids
from app.domain.webhooks.payload import instant_text

PLAIN = ("external_id", "email", "phone", "name", "locale", "time_zone", "properties", "last_score", "revision")
INSTANTS = ("unsubscribed_at", "bounced_at", "complained_at", "last_answered_at", "created_at", "updated_at")


def recipient_body(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": ids.shown("recipient", row["id"]),
        **{name: row[name] for name in PLAIN},
        **{name: row[name] and instant_text(row[name]) for name in INSTANTS},
        "last_asked_at": row["asked_at"] and instant_text(row["asked_at"]),
        "account": _account(row),
    }


def _account(row: Mapping[Any, Any]) -> dict[str, Any] | None:
    if row["account_id"] is None:
        return None
    account_id = ids.shown("account", row["account_id"])
    return {"id": account_id, "external_id": row["account_external_id"], "name": row["account_name"]}
