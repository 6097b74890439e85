"""Campaigns as planning and sending need them: what they ask, by which rules, and whose they are."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog

from app.db.statements import Connection, fetch
from app.domain.asking.asking import Asking
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Once
from app.domain.campaign import CampaignNotFound
from app.domain.errors import DomainError
from app.domain.ids import shown
from app.domain.scores.metric import MetricKey
from app.domain.scores.period import zone_named
from app.domain.survey.survey import Survey

log = structlog.get_logger()

AS_IF_ONCE = Asking(Once())

Row = Mapping[str, Any]


async def read_asking_campaigns(
    tx: Connection, workspace_ids: Sequence[UUID], campaign_ids: Sequence[UUID]
) -> list[AskingCampaign]:
    """Those of them that ask by themselves, whatever their state. One that cannot be read asks nobody, and leaves the
    others alone."""
    rows = await fetch(tx, _READ, list(workspace_ids), list(campaign_ids))
    return [campaign for row in rows if (campaign := _readable(row)) is not None]


async def read_campaigns_of(
    tx: Connection, rows: Sequence[Row]
) -> tuple[list[tuple[AskingCampaign, list[Row]]], list[Row]]:
    """Each campaign that rows name, with those rows; and the rows of campaigns that ask nobody any more."""
    of_campaign: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
    for row in rows:
        of_campaign[row["workspace_id"], row["campaign_id"]].append(row)
    spaces, ids = ([place[at] for place in of_campaign] for at in (0, 1))
    found = await read_asking_campaigns(tx, spaces, ids) if rows else []
    theirs = [(campaign, of_campaign.pop((campaign.workspace_id, campaign.id))) for campaign in found]
    return theirs, [row for orphans in of_campaign.values() for row in orphans]


def _readable(row: Mapping[str, Any]) -> AskingCampaign | None:
    try:
        return _campaign(row)
    except (DomainError, ValueError, TypeError, LookupError, AttributeError):
        log.exception("a campaign cannot be read", campaign=shown("campaign", row["id"]))
        return None


async def get_asking_campaign(
    tx: Connection, workspace_id: UUID, campaign_id: UUID, *, asking: Asking | None = None
) -> AskingCampaign | None:
    """`asking` in place of its own; None where it has none. Raises CampaignNotFound."""
    row = await _read_one(tx, workspace_id, campaign_id)
    return None if asking is None and row["asking"] is None else _campaign(row, asking)


async def get_campaign_as_if_asking(tx: Connection, workspace_id: UUID, campaign_id: UUID) -> AskingCampaign:
    """One that asks nobody by itself as if it asked once. Raises CampaignNotFound."""
    row = await _read_one(tx, workspace_id, campaign_id)
    return _campaign(row, AS_IF_ONCE if row["asking"] is None else None)


async def _read_one(tx: Connection, workspace_id: UUID, campaign_id: UUID) -> Mapping[str, Any]:
    rows = await fetch(tx, _READ_ANY, [workspace_id], [campaign_id])
    if not rows:
        raise CampaignNotFound("There is no campaign with this id.")
    return rows[0]


def _campaign(row: Mapping[str, Any], asking: Asking | None = None) -> AskingCampaign:
    return AskingCampaign(
        workspace_id=row["workspace_id"],
        workspace_name=row["workspace_name"],
        livemode=row["mode"] == "live",
        zone=zone_named(row["time_zone"]),
        quarantine_days=row["quarantine_days"],
        brand=json.loads(row["brand"]),
        sender=json.loads(row["sender"]),
        id=row["id"],
        name=row["name"],
        state=row["state"],
        metric=MetricKey(row["metric"]),
        is_anonymous=row["is_anonymous"],
        one_answer_each=row["one_answer_per_recipient"],
        survey_version=row["survey_version"],
        survey=Survey.from_json(json.loads(row["survey"])),
        asking=asking or Asking.from_json(json.loads(row["asking"])),
        anchor=row["anchor"],
        ends_at=row["ends_at"],
    )


_READ_ANY = """
    SELECT c.workspace_id, w.name AS workspace_name, w.mode, w.time_zone, w.quarantine_days, w.brand::text AS brand,
        w.sender::text AS sender, c.id, c.name, c.state, c.metric, c.is_anonymous, c.one_answer_per_recipient,
        c.survey_version, c.ends_at, s.content::text AS survey, c.asking::text AS asking,
        coalesce(greatest(c.starts_at, c.launched_at), c.created_at) AS anchor
    FROM unnest($1::uuid[], $2::uuid[]) AS asked (workspace_id, campaign_id)
    JOIN campaigns c ON c.workspace_id = asked.workspace_id AND c.id = asked.campaign_id
    JOIN workspaces w ON w.id = c.workspace_id
    JOIN survey_versions s
        ON s.workspace_id = c.workspace_id AND s.campaign_id = c.id AND s.version = c.survey_version
"""
# In one order for everybody: who plans several of them wakes one after the other, and must not wait in a circle.
_READ = f"{_READ_ANY} WHERE c.asking IS NOT NULL ORDER BY c.workspace_id, c.id"
