"""A survey as one person would meet it: the campaign and somebody, of whom nothing is asked."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.mail.trial_mail import sample_person
from app.domain.survey.survey import Survey
from app.domain.survey.survey_preview import Previewed
from app.queries.survey_links import Link

NOTHING = UUID(int=0)


async def find_previewed(tx: ReadTx | Tx, shown: Previewed, *, now: datetime) -> Link | None:
    """As if they had been asked now. Somebody made up stands in for whoever is not there any more."""
    found = await fetch(tx, _FIND, shown.workspace_id, shown.campaign_id, shown.recipient_id)
    if not found:
        return None
    row, sample = found[0], sample_person(shown.language)
    is_known = row["recipient_id"] is not None
    person: dict[str, Any] = {
        "email": row["email"] if is_known else sample.email,
        "name": row["name"] if is_known else sample.name,
        "locale": row["locale"],
        "account_name": row["account_name"] if is_known else sample.account_name,
        "properties": json.loads(row["properties"]),
    }
    asked: dict[str, Any] = {"state": "sent", "channel": "email", "wave": 0, "variant": shown.variant, "asked_at": now}
    unheard_of: dict[str, Any] = dict.fromkeys(_UNHEARD_OF)
    return Link(
        **{name: row[name] for name in _COPIED},
        **person, **asked, **unheard_of,
        occasion_properties={}, workspace_created_at=now, campaign_state="running", invitation_id=NOTHING,
        unsubscribed_at=None, recipient_id=row["recipient_id"] or NOTHING,
        brand=json.loads(row["brand"]), asking=json.loads(row["asking"]),
        survey=Survey.from_json(json.loads(row["survey"])),
    )  # fmt: skip


_COPIED = (
    "workspace_id", "workspace_name", "mode", "time_zone", "campaign_id", "metric", "is_anonymous", "survey_version",
)  # fmt: skip
_UNHEARD_OF = ("mailed_at", "expires_at", "page_opened_at", "gestured_at", "flag_reason", "left_at", "answered")
_FIND = """
    SELECT w.id AS workspace_id, w.name AS workspace_name, w.mode, w.time_zone, w.brand::text AS brand,
        c.id AS campaign_id, c.metric, c.is_anonymous, coalesce(c.asking, '{}')::text AS asking,
        s.content::text AS survey, c.survey_version,
        p.id AS recipient_id, p.email, p.name, p.locale, a.name AS account_name,
        coalesce(p.properties, '{}')::text AS properties
    FROM campaigns c
    JOIN workspaces w ON w.id = c.workspace_id
    JOIN survey_versions s
        ON s.workspace_id = c.workspace_id AND s.campaign_id = c.id AND s.version = c.survey_version
    LEFT JOIN recipients p ON p.workspace_id = c.workspace_id AND p.id = $3::uuid AND p.deleted_at IS NULL
    LEFT JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
    WHERE c.workspace_id = $1 AND c.id = $2
"""
