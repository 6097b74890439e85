"""What stands behind a personal link: the invitation, what it asks, of whom, and what was answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.survey.survey import Survey


@dataclass(frozen=True, slots=True)
class Answered:
    """The response there is, whatever became of it: to this invitation, or where the campaign takes one from each, any
    of the person's.
    """

    id: UUID
    score: int
    certainty: str
    answers: Mapping[str, Any]
    language: str | None
    has_comment: bool
    may_contact: bool | None
    part_number: int  # of the last part it was put together from
    excluded_reason: str | None
    answered_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """`email`, `name`, `locale`, `account_name` and `properties` are None of people whom we have forgotten."""

    workspace_id: UUID
    workspace_name: str
    workspace_created_at: datetime
    mode: str
    time_zone: str
    brand: Mapping[str, Any]
    campaign_id: UUID
    campaign_state: str
    metric: str
    is_anonymous: bool
    asking: Mapping[str, Any]
    survey: Survey
    survey_version: int
    invitation_id: UUID
    state: str
    channel: str
    wave: int
    variant: str | None
    asked_at: datetime | None
    mailed_at: datetime | None  # the last of its mails
    expires_at: datetime | None
    page_opened_at: datetime | None
    gestured_at: datetime | None
    flag_reason: str | None
    unsubscribed_at: datetime | None  # the recipient, also by a complaint, which nothing takes back
    left_at: datetime | None  # by this link
    recipient_id: UUID
    email: str | None
    name: str | None
    locale: str | None
    account_name: str | None
    properties: Mapping[str, Any]
    occasion_properties: Mapping[str, Any]  # of the touchpoint they are asked about
    answered: Answered | None


async def find_link(tx: ReadTx | Tx, token_hash: bytes, *, to_leave: bool = False) -> Link | None:
    """`to_leave`: by the token of unsubscribing too, which opens no survey."""
    found = await fetch(tx, _FIND_LINK_TO_LEAVE if to_leave else _FIND_LINK, token_hash)
    if not found:
        return None
    row = found[0]
    answered = _answered(row) if row["response_id"] else None
    given = {name: row[name] for name in _COPIED} | {name: json.loads(row[name]) for name in _JSON}
    return Link(**given, survey=Survey.from_json(json.loads(row["survey"])), answered=answered)


async def find_anonymous_answer(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, client_ref: UUID
) -> Answered | None:
    found = await fetch(tx, _FIND_ANONYMOUS, workspace_id, campaign_id, client_ref)
    return _answered(found[0]) if found else None


def _answered(row: Mapping[str, Any]) -> Answered:
    return Answered(
        row["response_id"], row["score"], row["certainty"], json.loads(row["answers"]), row["language"],
        row["has_comment"], row["may_contact"], _last_part(row["client_sequences"]), row["excluded_reason"],
        row["answered_at"], row["updated_at"],
    )  # fmt: skip


def _last_part(client_sequences: str) -> int:
    return max(json.loads(client_sequences).values(), default=0)


_COPIED = (
    "workspace_id", "workspace_name", "workspace_created_at", "mode", "time_zone", "campaign_id", "campaign_state",
    "metric", "is_anonymous", "survey_version", "invitation_id", "state", "channel", "wave", "variant", "asked_at",
    "mailed_at", "expires_at", "page_opened_at", "gestured_at",
    "flag_reason", "unsubscribed_at", "left_at", "recipient_id", "email", "name",
    "locale", "account_name",
)  # fmt: skip
_JSON = ("brand", "asking", "properties", "occasion_properties")  # comes as text

_ANSWER = """
    r.id AS response_id, r.score, r.certainty, coalesce(r.answers, '{}')::text AS answers, r.language,
    r.comment IS NOT NULL AS has_comment, r.may_contact, coalesce(r.client_sequences, '{}')::text AS client_sequences,
    r.excluded_reason, r.answered_at, r.updated_at
"""
_FIND_LINK = f"""
    SELECT w.id AS workspace_id, w.name AS workspace_name, w.created_at AS workspace_created_at, w.mode, w.time_zone,
        w.brand::text AS brand,
        c.id AS campaign_id, c.state AS campaign_state, c.metric, c.is_anonymous,
        coalesce(c.asking, '{{}}')::text AS asking, s.content::text AS survey, v.survey_version, v.id AS invitation_id,
        v.state, v.channel, v.wave, v.variant,
        v.asked_at, m.mailed_at, v.expires_at, v.page_opened_at, v.gestured_at, v.flag_reason,
        coalesce(p.complained_at, p.unsubscribed_at) AS unsubscribed_at, v.unsubscribed_at AS left_at,
        p.id AS recipient_id, p.email, p.name, p.locale, a.name AS account_name,
        (p.properties || coalesce(t.properties, '{{}}'))::text AS properties,
        coalesce(t.properties, '{{}}')::text AS occasion_properties, {_ANSWER}
    FROM invitations v
    JOIN workspaces w ON w.id = v.workspace_id
    JOIN campaigns c ON c.workspace_id = v.workspace_id AND c.id = v.campaign_id
    JOIN survey_versions s
        ON s.workspace_id = v.workspace_id AND s.campaign_id = v.campaign_id AND s.version = v.survey_version
    JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id AND p.deleted_at IS NULL
    LEFT JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
    LEFT JOIN touchpoints t ON t.workspace_id = v.workspace_id AND t.id = v.touchpoint_id
    LEFT JOIN responses r ON r.workspace_id = v.workspace_id AND r.id = coalesce(
        (SELECT o.id FROM responses o WHERE o.workspace_id = v.workspace_id AND o.id = v.response_id),
        CASE WHEN c.one_answer_per_recipient AND NOT c.is_anonymous THEN (
            SELECT o.id FROM responses o
            WHERE o.workspace_id = v.workspace_id AND o.recipient_id = v.recipient_id AND o.campaign_id = v.campaign_id
            ORDER BY o.answered_at DESC LIMIT 1
        ) END
    )
    LEFT JOIN LATERAL (
        SELECT max(coalesce(m.settled_at, m.created_at)) AS mailed_at FROM messages m
        WHERE m.workspace_id = v.workspace_id AND m.invitation_id = v.id
    ) m ON true
    WHERE v.token_hash = $1
"""
_FIND_LINK_TO_LEAVE = f"{_FIND_LINK} OR v.unsubscribe_hash = $1"
_FIND_ANONYMOUS = f"""
    SELECT {_ANSWER} FROM responses r WHERE r.workspace_id = $1 AND r.campaign_id = $2 AND r.client_ref = $3
"""
