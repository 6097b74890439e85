"""Large waves stay here while the domain they would come from is known to be set up wrong: many mails that are refused
at once spoil its name for long. Mails after touchpoints come one by one: of them, what leaves on one day counts as a
wave does. Whoever resumes the campaign too early finds it paused again.
"""

from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.asking.automatic_stop import PausedReason
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.triggers import AfterTouchpoint
from app.domain.mail.campaign_sender import LARGE_WAVE, failed_domains, from_domains
from app.domain.mail.sender import Sender
from app.domain.scores.period import ONE_DAY, day_begins_at, day_of
from app.operations.invitations.pause import pause_by_itself
from app.queries.asking_campaigns import read_asking_campaigns
from app.queries.sender_domains import states_of_domains


async def hold_large_wave(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> None:
    """In the transaction that planned it, so that none of it has left."""
    sender = Sender.of(campaign.sender)
    domains = from_domains(campaign.asking.email, sender)
    if not campaign.livemode or sender.send_unaligned or not domains:
        return
    failed = failed_domains(await states_of_domains(tx, campaign.workspace_id, domains))
    if failed and await _count_mails(tx, campaign, now=now) > LARGE_WAVE:
        text = _HELD.format(most=LARGE_WAVE, domains=", ".join(failed))
        await pause_by_itself(tx, campaign.workspace_id, campaign.id, PausedReason.SENDER_DOMAIN, text=text, now=now)


async def hold_waves_from(tx: Tx, workspace_id: UUID, domain: str, *, now: datetime) -> None:
    """Those that are under way: what has left has left."""
    running = await fetch(tx, _FIND_RUNNING, workspace_id)
    for campaign in await read_asking_campaigns(tx, [workspace_id] * len(running), [row["id"] for row in running]):
        if domain in from_domains(campaign.asking.email, Sender.of(campaign.sender)):
            await hold_large_wave(tx, campaign, now=now)


async def hold_busy_days(tx: Tx, *, now: datetime) -> None:
    """Of campaigns that ask after touchpoints, which nobody plans: what comes in adds up meanwhile."""
    found = await fetch(tx, _FIND_BUSY)
    places = [row["workspace_id"] for row in found], [row["id"] for row in found]
    for campaign in await read_asking_campaigns(tx, *places) if found else []:
        await hold_large_wave(tx, campaign, now=now)


async def _count_mails(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> int:
    """No further than is needed."""
    place = campaign.workspace_id, campaign.id
    if isinstance(campaign.asking.trigger, AfterTouchpoint):
        today = day_of(now, campaign.zone)
        tomorrow = day_begins_at(today + ONE_DAY, campaign.zone)
        (row,) = await fetch(tx, _COUNT_DAY, *place, LARGE_WAVE + 1, today, tomorrow)
    else:
        (row,) = await fetch(tx, _COUNT_PLANNED, *place, LARGE_WAVE + 1)
    return int(row["mails"])


_HELD = """More than {most} mails were about to leave from {domains}. Mail services refuse so many from a domain that is
set up like this; GET /v1/sender-domains says what is wrong. Put that right, have it checked again, and resume the
campaign; or set `send_unaligned` in the workspace's `sender`.
"""
_FIND_RUNNING = """
    SELECT id FROM campaigns WHERE workspace_id = $1 AND state = 'running' AND asking IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE
"""
_COUNT_PLANNED = """
    SELECT count(*)::int AS mails FROM (
        SELECT FROM invitations WHERE workspace_id = $1 AND campaign_id = $2 AND state = 'planned' LIMIT $3
    ) AS enough
"""
# Of workspaces with a domain that has failed, which are few.
_FIND_BUSY = """
    SELECT c.workspace_id, c.id FROM campaigns c
    WHERE c.workspace_id IN (SELECT d.workspace_id FROM sender_domains d WHERE d.state = 'failed')
        AND c.state = 'running' AND c.asking -> 'trigger' ->> 'kind' = 'touchpoint'
    ORDER BY c.workspace_id, c.id FOR NO KEY UPDATE OF c SKIP LOCKED
"""
_COUNT_DAY = """
    SELECT coalesce((
        SELECT sent_count FROM sending_days WHERE workspace_id = $1 AND campaign_id = $2 AND sent_on = $4
    ), 0)::int + (
        SELECT count(*)::int FROM (
            SELECT FROM invitations
            WHERE workspace_id = $1 AND campaign_id = $2 AND due_at < $5 AND claim_id IS NULL LIMIT $3
        ) AS enough
    ) AS mails
"""
