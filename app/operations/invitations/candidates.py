"""What may be sent now: due invitations of campaigns that send, locked, with the people they are for."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.asking.date_slots import date_in, date_slot
from app.domain.asking.invitation import Addressee, AskingCampaign
from app.domain.asking.triggers import SLOT_OF, AfterTouchpoint, OnDate
from app.domain.survey.survey import Survey
from app.queries.asking_campaigns import read_asking_campaigns

CAMPAIGNS_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    campaign: AskingCampaign
    id: UUID
    addressee: Addressee
    state: str
    slot: str
    variant: str | None
    due_at: datetime
    latest_at: datetime | None  # of a reminder, when the invitation expires
    planned_at: datetime
    asked_at: datetime | None
    reminder_count: int
    survey_version: int
    touchpoint: str | None = None  # the name of the one it is about
    is_called_off: bool = False  # by another, which may have been known before the campaign heeded it
    survey: Survey | None = None  # where it is not the one the campaign asks now: who is reminded is asked the same

    @property
    def is_reminder(self) -> bool:
        return self.state != "planned"

    @property
    def is_outdated(self) -> bool:
        return self.is_reminder and self.survey_version != self.campaign.survey_version

    @property
    def domain(self) -> str:
        return self.addressee.email.rpartition("@")[2]

    @property
    def is_of_another_trigger(self) -> bool:
        """Planned before the campaign's trigger was another one: its slot, and its touchpoint, say after what."""
        trigger = self.campaign.asking.trigger
        if self.is_reminder:
            return False
        if isinstance(trigger, AfterTouchpoint) and self.touchpoint != trigger.name:
            return True
        return self.slot.partition(":")[0] != SLOT_OF.get(type(trigger))

    @property
    def is_date_moved(self) -> bool:
        trigger = self.campaign.asking.trigger
        if not isinstance(trigger, OnDate) or self.is_reminder:
            return False
        day = date_in(self.addressee.properties, trigger)
        return day is None or self.slot != date_slot(trigger, day)


async def lock_due_campaigns(tx: Tx, *, now: datetime) -> list[AskingCampaign]:
    """The ones longest due; those another worker holds are skipped. Of those that do not run nothing is due."""
    locked = await fetch(tx, _LOCK_CAMPAIGNS, now, CAMPAIGNS_AT_ONCE)
    places = [row["workspace_id"] for row in locked], [row["campaign_id"] for row in locked]
    found = await read_asking_campaigns(tx, *places) if locked else []
    running = {campaign.id: campaign for campaign in found if campaign.state == "running"}
    resting = [row for row in locked if row["campaign_id"] not in running]
    if resting:
        rest = [row["workspace_id"] for row in resting], [row["campaign_id"] for row in resting]
        await fetch(tx, _FORGET_RESTING, *rest)
        await fetch(tx, _RELEASE_ENDED, *rest, now)
    return list(running.values())


async def lock_candidates(tx: Tx, campaigns: Sequence[AskingCampaign], *, limit: int, now: datetime) -> list[Candidate]:
    """With the rows of their recipients, so that nobody else asks the same person meanwhile.

    Whom somebody else holds stays due. Each workspace gets the same share.
    """
    shares = _shares(campaigns, limit)
    places = [campaign.workspace_id for campaign in campaigns], [campaign.id for campaign in campaigns]
    due = await fetch(tx, _LOCK_DUE, *places, shares, now)
    if not due:
        return []
    people = await fetch(
        tx, _LOCK_PEOPLE, [row["workspace_id"] for row in due], [row["recipient_id"] for row in due]
    )  # fmt: skip
    known = {row["id"]: row for row in people}
    said = await _read_touchpoints(tx, due)
    by_id = {campaign.id: campaign for campaign in campaigns}
    candidates = [
        _candidate(by_id[row["campaign_id"]], row, known[row["recipient_id"]], said.get(row["id"]))
        for row in due
        if row["recipient_id"] in known
    ]
    surveys = await _read_older_surveys(tx, candidates)
    return [
        replace(one, survey=surveys[one.campaign.id, one.survey_version]) if one.is_outdated else one
        for one in candidates
    ]


def _shares(campaigns: Sequence[AskingCampaign], limit: int) -> list[int]:
    of_workspace = Counter(campaign.workspace_id for campaign in campaigns)
    share = -(-limit // len(of_workspace))
    return [-(-share // of_workspace[campaign.workspace_id]) for campaign in campaigns]


async def _read_older_surveys(tx: Tx, candidates: Sequence[Candidate]) -> dict[tuple[UUID, int], Survey]:
    older = {(one.campaign.workspace_id, one.campaign.id, one.survey_version) for one in candidates if one.is_outdated}
    if not older:
        return {}
    rows = await fetch(tx, _READ_SURVEYS, *([place[at] for place in older] for at in range(3)))
    return {(row["campaign_id"], row["version"]): Survey.from_json(json.loads(row["survey"])) for row in rows}


async def _read_touchpoints(tx: Tx, due: Sequence[Mapping[str, Any]]) -> dict[UUID, Mapping[str, Any]]:
    """By the invitation that is about it."""
    about = [row for row in due if row["touchpoint_id"] is not None]
    if not about:
        return {}
    given = ([row[name] for row in about] for name in ("workspace_id", "id", "touchpoint_id", "campaign_id"))
    return {row["id"]: row for row in await fetch(tx, _READ_TOUCHPOINTS, *given)}


def _candidate(
    campaign: AskingCampaign, row: Mapping[str, Any], person: Mapping[str, Any], said: Mapping[str, Any] | None
) -> Candidate:
    about = json.loads(said["properties"]) if said else {}
    addressee = Addressee(
        person["id"], person["email"] or "", person["name"], person["locale"], person["account_name"],
        person["account_owner"], {**json.loads(person["properties"]), **about},
    )  # fmt: skip
    return Candidate(
        campaign, row["id"], addressee, row["state"], row["slot"], row["variant"],
        row["due_at"], campaign.in_time(row["latest_at"]), row["created_at"], row["asked_at"], row["reminder_count"],
        row["survey_version"], said["name"] if said else None, bool(said and said["is_called_off"]),
    )  # fmt: skip


# Locked before anything is joined to them, or else all that are due would be joined to find the first.
_LOCK_CAMPAIGNS = """
    SELECT workspace_id, campaign_id FROM sending_work WHERE due_at <= $1
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_FORGET_RESTING = """
    DELETE FROM sending_work s USING unnest($1::uuid[], $2::uuid[]) AS r (workspace_id, campaign_id)
    WHERE s.workspace_id = r.workspace_id AND s.campaign_id = r.campaign_id
"""
# What came in at the moment of its end was planned when its planner had released the others already.
_RELEASE_ENDED = """
    UPDATE campaigns c SET plan_due_at = $3
    FROM (
        SELECT c.workspace_id, c.id FROM campaigns c
        JOIN unnest($1::uuid[], $2::uuid[]) AS r (workspace_id, id) ON c.workspace_id = r.workspace_id AND c.id = r.id
        WHERE c.state IN ('completed', 'archived') AND c.plan_due_at IS NULL
        FOR NO KEY UPDATE OF c SKIP LOCKED
    ) ended
    WHERE c.workspace_id = ended.workspace_id AND c.id = ended.id
"""
_LOCK_DUE = """
    SELECT v.* FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS c (workspace_id, campaign_id, share)
    CROSS JOIN LATERAL (
        SELECT v.workspace_id, v.campaign_id, v.id, v.recipient_id, v.touchpoint_id, v.state, v.slot, v.variant,
            v.due_at, v.created_at, CASE WHEN v.state = 'planned' THEN coalesce((
                SELECT w.ends_at + coalesce($4 - w.paused_at, interval '0') FROM waves w
                WHERE w.workspace_id = v.workspace_id AND w.campaign_id = v.campaign_id AND w.number = v.wave
            ), v.latest_at) ELSE v.expires_at END AS latest_at,
            v.asked_at, v.reminder_count, v.survey_version
        FROM invitations v
        WHERE v.workspace_id = c.workspace_id AND v.campaign_id = c.campaign_id AND v.due_at <= $4
            AND v.claim_id IS NULL
        ORDER BY v.due_at LIMIT c.share FOR UPDATE SKIP LOCKED
    ) v
"""
_LOCK_PEOPLE = """
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT workspace_id, id FROM unnest($1::uuid[], $2::uuid[]) AS w (workspace_id, id)
    ), locked AS MATERIALIZED (
        SELECT p.* FROM recipients p JOIN wanted w ON w.workspace_id = p.workspace_id AND w.id = p.id
        ORDER BY p.workspace_id, p.id FOR NO KEY UPDATE OF p SKIP LOCKED
    )
    SELECT p.id, p.email, p.name, p.locale, p.properties::text AS properties, a.name AS account_name,
        a.owner AS account_owner
    FROM locked p LEFT JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
"""
_READ_SURVEYS = """
    SELECT s.campaign_id, s.version, s.content::text AS survey
    FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS w (workspace_id, campaign_id, version)
    JOIN survey_versions s
        ON s.workspace_id = w.workspace_id AND s.campaign_id = w.campaign_id AND s.version = w.version
"""
_READ_TOUCHPOINTS = """
    SELECT w.id, t.name, t.properties::text AS properties, EXISTS (
        SELECT FROM touchpoints g
        WHERE g.workspace_id = t.workspace_id AND g.recipient_id = t.recipient_id AND g.occurred_at >= t.occurred_at
            AND (g.external_id IS NULL OR t.external_id IS NOT DISTINCT FROM g.external_id)
            AND c.asking -> 'trigger' -> 'cancelled_by' ? g.name
    ) AS is_called_off
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) AS w (workspace_id, id, touchpoint_id, campaign_id)
    JOIN touchpoints t ON t.workspace_id = w.workspace_id AND t.id = w.touchpoint_id
    JOIN campaigns c ON c.workspace_id = w.workspace_id AND c.id = w.campaign_id
"""
