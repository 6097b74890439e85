"""An import of recipients: its states, and how people see it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from app.domain import ids
from app.domain.errors import Conflict, NotFound
from app.domain.webhooks.payload import instant_text

MOST_WAITING = 20  # imports of one workspace that have not ended
MOST_ERRORS_KEPT = 100_000  # of one import; all are counted
MOST_ATTEMPTS = 5  # without getting any further


class ImportState(StrEnum):
    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ImportNotFound(NotFound):
    """There is no such import."""

    code = "import_not_found"


class TooManyImports(Conflict):
    """Too many imports are waiting."""

    code = "too_many_imports"


COUNTS = ("read", "created", "updated", "unchanged", "rejected")
INSTANTS = ("created_at", "started_at", "finished_at", "updated_at")


def import_body(row: Mapping[Any, Any]) -> dict[str, Any]:
    """As the API and the event show it."""
    campaign_id, endpoint_id = row["campaign_id"], row["endpoint_id"]
    return {
        "id": ids.shown("import", row["id"]),
        "kind": "recipients",
        "format": row["format"],
        "campaign_id": campaign_id and ids.shown("campaign", campaign_id),
        "endpoint_id": endpoint_id and ids.shown("endpoint", endpoint_id),
        "state": row["state"],
        "failure": row["failure"],
        "bytes": row["bytes"],
        "bytes_read": row["bytes_read"],
        "rows": {name: row[f"rows_{name}"] for name in COUNTS},
        **{name: row[name] and instant_text(row[name]) for name in INSTANTS},
        "revision": row["revision"],
    }
