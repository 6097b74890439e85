"""Links that somebody else sends: an invitation as any other, asked now, by the same rule that sends mail.

1. lock the people          whoever asks one of them meanwhile waits, and then sees it
2. decide                   one rule; only hours and pace are the business of whoever sends
3. write down               the invitation and the person's `asked_at` in one transaction
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.domain.asking.eligibility import Reason, Send, Wait, decide
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.reminders import expires_at
from app.domain.asking.scheduling import variant_for
from app.domain.asking.sending_window import ALWAYS
from app.domain.survey.survey_token import random_token, survey_token, token_digest, unsubscribe_token
from app.queries.asking_campaigns import get_campaign_as_if_asking
from app.queries.eligibility import Facts, read_facts

MOST_LINKS = 500  # at once


@dataclass(frozen=True, slots=True)
class PersonalLink:
    """`token` is None where the person may not be asked now; `until` when it would be decided anew, if ever."""

    recipient_id: UUID
    token: str | None = None
    unsubscribe_token: str | None = None
    invitation_id: UUID | None = None
    expires_at: datetime | None = None
    variant: str | None = None
    is_new: bool = False
    email: str | None = None
    external_id: str | None = None
    reason: Reason | None = None
    until: datetime | None = None


async def make_links(
    tx: Tx, workspace_id: UUID, campaign_id: UUID, recipient_ids: Sequence[UUID], *, link_key: bytes, now: datetime
) -> tuple[AskingCampaign, list[PersonalLink]]:
    """One for each id, in order. Whoever has an open link of the campaign gets it again. Raises CampaignNotFound."""
    campaign = await get_campaign_as_if_asking(tx, workspace_id, campaign_id)
    people = {row["id"]: row for row in await fetch(tx, _LOCK_PEOPLE, workspace_id, list(recipient_ids))}
    known = await _open_links(tx, campaign, list(people), link_key=link_key, now=now)
    facts = await read_facts(tx, campaign, [one for one in people if one not in known], now=now)
    made = {one: _decided(campaign, facts, one, link_key=link_key, now=now) for one in facts.people}
    await _write_down(tx, campaign, [link for link in made.values() if link.token is not None], now=now)
    found = {**made, **known}
    links = [found.get(one) or PersonalLink(one, reason=Reason.ERASED) for one in recipient_ids]
    return campaign, [
        replace(link, email=people[link.recipient_id]["email"], external_id=people[link.recipient_id]["external_id"])
        if link.recipient_id in people
        else link
        for link in links
    ]


async def _open_links(
    tx: Tx, campaign: AskingCampaign, recipient_ids: list[UUID], *, link_key: bytes, now: datetime
) -> dict[UUID, PersonalLink]:
    """None of an anonymous campaign's: its tokens are kept nowhere."""
    if campaign.is_anonymous:
        return {}
    rows = await fetch(tx, _OPEN_LINKS, campaign.workspace_id, campaign.id, recipient_ids, now)
    return {
        row["recipient_id"]: PersonalLink(
            row["recipient_id"],
            token=survey_token(link_key, row["id"]),
            unsubscribe_token=unsubscribe_token(link_key, row["id"]),
            invitation_id=row["id"],
            expires_at=row["expires_at"],
            variant=row["variant"],
        )
        for row in rows
    }


def _decided(
    campaign: AskingCampaign, facts: Facts, recipient_id: UUID, *, link_key: bytes, now: datetime
) -> PersonalLink:
    rules = replace(
        facts.rules[recipient_id], needs_address=False, window=ALWAYS, blackouts=(), exclude_newer_than_days=None
    )
    wanted = replace(facts.wanted[recipient_id], is_in_audience=True, is_listed=True)  # they were picked by hand
    decision = decide(facts.people[recipient_id], wanted, rules, now)
    if not isinstance(decision, Send):
        until = decision.until if isinstance(decision, Wait) else None
        return PersonalLink(recipient_id, reason=decision.reason, until=until)
    invitation_id = new_id(now)
    token = random_token(os.urandom(32)) if campaign.is_anonymous else survey_token(link_key, invitation_id)
    leaving = unsubscribe_token(link_key, invitation_id)
    ends_at = expires_at(campaign.asking.reminders, asked_at=now, blackouts=facts.rules[recipient_id].blackouts)
    variant = variant_for(campaign.asking, campaign.id, recipient_id)
    return PersonalLink(recipient_id, token, leaving, invitation_id, ends_at, variant, is_new=True)


async def _write_down(tx: Tx, campaign: AskingCampaign, links: Sequence[PersonalLink], *, now: datetime) -> None:
    if not links:
        return
    people = [link.recipient_id for link in links]
    await fetch(
        tx, _INSERT, campaign.workspace_id, campaign.id, [link.invitation_id for link in links], people,
        [token_digest(link.token or "") for link in links], [link.expires_at for link in links],
        [link.variant for link in links], campaign.survey_version, now,
        [token_digest(link.unsubscribe_token or "") if campaign.is_anonymous else None for link in links],
    )  # fmt: skip
    await fetch(tx, _MOVE_ASKED_AT, campaign.workspace_id, people, now)


# Always in one order: two callers that share people wait for each other instead of deadlocking.
_LOCK_PEOPLE = """
    SELECT id, email, external_id FROM recipients
    WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE
"""
_OPEN_LINKS = """
    SELECT DISTINCT ON (recipient_id) recipient_id, id, expires_at, variant FROM invitations
    WHERE workspace_id = $1 AND campaign_id = $2 AND recipient_id = ANY($3::uuid[]) AND channel = 'link'
        AND state = 'sent' AND expires_at > $4
    ORDER BY recipient_id, id DESC
"""
_INSERT = """
    INSERT INTO invitations (
        workspace_id, campaign_id, id, recipient_id, slot, channel, state, token_hash, unsubscribe_hash,
        expires_at, variant, survey_version, asked_at, asked_before_at, created_at
    )
    SELECT $1, $2, g.id, g.recipient_id, 'link:' || g.id, 'link', 'sent', g.token_hash, g.unsubscribe_hash,
        g.expires_at, g.variant, $8, $9, p.asked_at, $9
    FROM unnest($3::uuid[], $4::uuid[], $5::bytea[], $6::timestamptz[], $7::text[], $10::bytea[])
        AS g (id, recipient_id, token_hash, expires_at, variant, unsubscribe_hash)
    JOIN recipients p ON p.workspace_id = $1 AND p.id = g.recipient_id
"""
_MOVE_ASKED_AT = "UPDATE recipients SET asked_at = $3 WHERE workspace_id = $1 AND id = ANY($2::uuid[])"
