"""Taking what is due to be mailed, for the length of a lease.

1. lock due campaigns       the ones longest due; those another worker holds are skipped
2. hold live mail           while its links would lead to this machine only
3. release                  what is due of a campaign that knows enough, or of a segment of it
4. lock due invitations     and their recipients: whoever asks the same person waits, and then sees it
5. keep the pace            no more than the caps of the campaign allow
6. decide                   one after the other: the second invitation of a person sees the first
7. write down               `recipients.asked_at` moves with the invitation, or neither does
8. note what is due next    the campaign's row says when looking at it is worth while again
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch, next_revision, plan_anew
from app.domain.asking.blackouts import Blackouts
from app.domain.asking.eligibility import Ask, Decision, Reason, Send, Skip, Wait, decide
from app.domain.asking.invitation import AskingCampaign, ClaimedInvitation, MessageKind
from app.domain.asking.reminders import expires_at
from app.domain.asking.sending_window import open_until
from app.domain.scores.period import day_of
from app.domain.survey.survey_token import random_token, survey_token, token_digest, unsubscribe_token
from app.operations.invitations.candidates import Candidate, lock_candidates, lock_due_campaigns
from app.operations.invitations.enough import release_enough
from app.operations.invitations.send_pace import LOOK_AGAIN, keep_pace
from app.queries.eligibility import Facts, read_facts


@dataclass(frozen=True, slots=True)
class MailLease:
    id: UUID
    length: timedelta

    @classmethod
    def of(cls, seconds: float) -> "MailLease":
        return cls(uuid4(), timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True)
class Judged:
    candidate: Candidate
    decision: Decision
    blackouts: Blackouts = ()  # those that hold for this person
    leaves_before: datetime | None = None  # of what is to be sent


async def claim_due_invitations(
    tx: Tx, *, lease: MailLease, limit: int, link_key: bytes, is_live_held: bool = False, now: datetime
) -> tuple[list[ClaimedInvitation], bool]:
    """What is to be sent now, and whether more may be due at once.

    `is_live_held`: nothing of live workspaces is claimed.
    """
    await plan_anew(tx)
    campaigns = await lock_due_campaigns(tx, now=now)
    if is_live_held:
        campaigns = await _put_off_live(tx, campaigns, now=now)
    if not campaigns:
        return [], False
    for campaign in campaigns:
        await release_enough(tx, campaign, due_by=now)
    due = await lock_candidates(tx, campaigns, limit=limit, now=now)
    judged: list[Judged] = []
    looks: dict[UUID, datetime] = {}
    asked: dict[UUID, list[Ask]] = {}
    for campaign in sorted(campaigns, key=lambda one: -one.asking.priority):
        paced = await keep_pace(tx, campaign, [one for one in due if one.campaign is campaign], now=now)
        looks[campaign.id] = paced.look_again_at or now
        facts = await read_facts(tx, campaign, {one.addressee.id for one in paced.candidates}, now=now)
        judged += [_judge(one, facts, asked, lease, now) for one in paced.candidates]
        judged += [Judged(one, Wait(now + LOOK_AGAIN, Reason.PACE)) for one in paced.held]
    claimed = await _write_down(tx, judged, lease=lease, link_key=link_key, now=now)
    await _note_next_due(tx, campaigns, looks)
    return claimed, bool(judged)


async def _put_off_live(tx: Tx, campaigns: Sequence[AskingCampaign], *, now: datetime) -> list[AskingCampaign]:
    """The others go on."""
    live = [one for one in campaigns if one.livemode]
    await _note_next_due(tx, live, dict.fromkeys((one.id for one in live), now + LOOK_AGAIN))
    return [one for one in campaigns if not one.livemode]


def _judge(candidate: Candidate, facts: Facts, asked: dict[UUID, list[Ask]], lease: MailLease, now: datetime) -> Judged:
    recipient_id = candidate.addressee.id
    person = facts.people[recipient_id]
    for ask in asked.get(recipient_id, ()):
        person = person.asked(ask)
    wanted = replace(
        facts.wanted[recipient_id],
        is_reminder=candidate.is_reminder,
        latest_at=candidate.latest_at,
        planned_at=candidate.planned_at,
        is_date_moved=candidate.is_date_moved,
        is_of_another_trigger=candidate.is_of_another_trigger,
        is_called_off=candidate.is_called_off,
    )
    rules = facts.rules[recipient_id]
    decision = decide(person, wanted, rules, now)
    if not isinstance(decision, Send):
        return Judged(candidate, decision)
    if not candidate.is_reminder:
        journey = candidate.campaign.asking.journey
        asked.setdefault(recipient_id, []).append(Ask(now, journey.name if journey else None))
    closes_at = open_until(now, zone=person.zone, window=rules.window, blackouts=rules.blackouts, within=lease.length)
    return Judged(candidate, decision, rules.blackouts, min(closes_at, candidate.latest_at or closes_at))


async def _write_down(
    tx: Tx, judged: Sequence[Judged], *, lease: MailLease, link_key: bytes, now: datetime
) -> list[ClaimedInvitation]:
    await _put_off(tx, judged)
    await _skip(tx, judged)
    sends = [one for one in judged if isinstance(one.decision, Send)]
    if not sends:
        return []
    claimed = [_claimed(one, lease, link_key, now) for one in sends]
    await _send(tx, [one.candidate for one in sends], claimed, lease=lease, now=now)
    return claimed


async def _put_off(tx: Tx, judged: Sequence[Judged]) -> None:
    waits = [(one.candidate, one.decision.until) for one in judged if isinstance(one.decision, Wait)]
    if waits:
        await fetch(tx, _PUT_OFF, *_places([one for one, _ in waits]), [until for _, until in waits])


async def _skip(tx: Tx, judged: Sequence[Judged]) -> None:
    """What was sent once stays sent; only its reminders end."""
    skips = [(one.candidate, one.decision.reason.value) for one in judged if isinstance(one.decision, Skip)]
    if skips:
        await fetch(tx, _SKIP, *_places([one for one, _ in skips]), [reason for _, reason in skips])


async def _send(
    tx: Tx, sends: Sequence[Candidate], claimed: Sequence[ClaimedInvitation], *, lease: MailLease, now: datetime
) -> None:
    firsts = [one.addressee.id for one in sends if not one.is_reminder]
    spaces = [one.campaign.workspace_id for one in sends if not one.is_reminder]
    await fetch(
        tx, _CLAIM, *_places(sends), [token_digest(one.token) for one in claimed],
        [one.campaign.survey_version for one in sends], [_expiry(one) for one in claimed],
        lease.id, now + lease.length, now, [_unsubscribe_digest(one) for one in claimed],
    )  # fmt: skip
    await fetch(tx, _MOVE_ASKED_AT, spaces, firsts, now)
    await fetch(
        tx, _KEEP_MESSAGES, *_places(sends), [one.message_id for one in claimed],
        [one.campaign.id for one in sends], [one.kind.value for one in claimed], [one.domain for one in sends], now,
    )  # fmt: skip
    spaces, campaigns = [one.campaign.workspace_id for one in sends], [one.campaign.id for one in sends]
    await fetch(tx, _COUNT_DAYS, spaces, campaigns, [one.claimed_on for one in claimed])


def _claimed(judged: Judged, lease: MailLease, link_key: bytes, now: datetime) -> ClaimedInvitation:
    candidate, campaign = judged.candidate, judged.candidate.campaign
    return ClaimedInvitation(
        campaign=campaign if candidate.survey is None else replace(campaign, survey=candidate.survey),
        addressee=candidate.addressee,
        id=candidate.id,
        claim_id=lease.id,
        message_id=new_id(now),
        kind=MessageKind.REMINDER if candidate.is_reminder else MessageKind.FIRST,
        variant=candidate.variant,
        asked_at=candidate.asked_at or now,
        claimed_on=day_of(now, campaign.zone),
        reminder_count=candidate.reminder_count + candidate.is_reminder,
        token=_token(candidate, link_key),
        unsubscribe_token=unsubscribe_token(link_key, candidate.id),
        blackouts=judged.blackouts,
        leaves_before=judged.leaves_before,
    )


def _token(candidate: Candidate, link_key: bytes) -> str:
    """Nobody can make an anonymous one again: a reminder brings another, and the first leads nowhere from then on."""
    return random_token(os.urandom(32)) if candidate.campaign.is_anonymous else survey_token(link_key, candidate.id)


def _unsubscribe_digest(claimed: ClaimedInvitation) -> bytes | None:
    """None where the survey's own token does."""
    return token_digest(claimed.unsubscribe_token) if claimed.campaign.is_anonymous else None


def _expiry(claimed: ClaimedInvitation) -> datetime:
    return expires_at(claimed.campaign.asking.reminders, asked_at=claimed.asked_at, blackouts=claimed.blackouts)


def _places(candidates: Sequence[Candidate]) -> tuple[list[UUID], list[UUID]]:
    return [one.campaign.workspace_id for one in candidates], [one.id for one in candidates]


async def _note_next_due(tx: Tx, campaigns: Sequence[AskingCampaign], looks: dict[UUID, datetime]) -> None:
    spaces, ids = [one.workspace_id for one in campaigns], [one.id for one in campaigns]
    await fetch(tx, _NOTE_NEXT_DUE, spaces, ids, [looks[campaign_id] for campaign_id in ids])


_GIVEN = "unnest($1::uuid[], $2::uuid[], {types}) AS g (workspace_id, id, {names})"
_CLAIMS = _GIVEN.format(
    types="$3::bytea[], $4::int[], $5::timestamptz[], $9::bytea[]",
    names="token_hash, survey_version, expires_at, unsubscribe_hash",
)
_MESSAGES = _GIVEN.format(
    types="$3::uuid[], $4::uuid[], $5::text[], $6::text[]", names="message_id, campaign_id, kind, domain"
)
_OURS = "v.workspace_id = g.workspace_id AND v.id = g.id"

_PUT_OFF = f"""
    UPDATE invitations v SET due_at = g.until
    FROM {_GIVEN.format(types="$3::timestamptz[]", names="until")} WHERE {_OURS}
"""
_SKIP = f"""
    UPDATE invitations v SET due_at = NULL, {next_revision("v")},
        state = CASE WHEN v.state = 'planned' THEN 'skipped' ELSE v.state END,
        skip_reason = CASE WHEN v.state = 'planned' THEN g.reason END
    FROM {_GIVEN.format(types="$3::text[]", names="reason")} WHERE {_OURS}
"""
_CLAIM = f"""
    UPDATE invitations v SET claim_id = $6, claimed_until = $7, due_at = NULL, {next_revision("v")},
        state = CASE WHEN v.state = 'planned' THEN 'sending' ELSE v.state END,
        reminder_count = v.reminder_count + CASE WHEN v.state = 'planned' THEN 0 ELSE 1 END,
        asked_at = coalesce(v.asked_at, $8), token_hash = g.token_hash,
        unsubscribe_hash = g.unsubscribe_hash,
        asked_before_at = CASE WHEN v.state = 'planned' THEN p.asked_at ELSE v.asked_before_at END,
        survey_version = CASE WHEN v.state = 'planned' THEN g.survey_version ELSE v.survey_version END,
        expires_at = coalesce(v.expires_at, g.expires_at)
    FROM {_CLAIMS}
    JOIN invitations i ON i.workspace_id = g.workspace_id AND i.id = g.id
    JOIN recipients p ON p.workspace_id = i.workspace_id AND p.id = i.recipient_id
    WHERE {_OURS}
"""
_MOVE_ASKED_AT = """
    UPDATE recipients p SET asked_at = $3
    FROM unnest($1::uuid[], $2::uuid[]) AS g (workspace_id, id)
    WHERE p.workspace_id = g.workspace_id AND p.id = g.id
"""
_KEEP_MESSAGES = f"""
    INSERT INTO messages (workspace_id, id, invitation_id, campaign_id, kind, domain, created_at)
    SELECT g.workspace_id, g.message_id, g.id, g.campaign_id, g.kind, g.domain, $7
    FROM {_MESSAGES}
"""
_COUNT_DAYS = """
    INSERT INTO sending_days AS d (workspace_id, campaign_id, sent_on, sent_count)
    SELECT workspace_id, campaign_id, sent_on, count(*)
    FROM unnest($1::uuid[], $2::uuid[], $3::date[]) AS g (workspace_id, campaign_id, sent_on)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, campaign_id, sent_on) DO UPDATE SET sent_count = d.sent_count + excluded.sent_count
"""
_NOTE_NEXT_DUE = """
    WITH next AS MATERIALIZED (
        SELECT c.workspace_id, c.campaign_id,
            CASE WHEN first.due_at IS NOT NULL THEN greatest(first.due_at, c.look_at) END AS due_at
        FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS c (workspace_id, campaign_id, look_at)
        LEFT JOIN LATERAL (
            SELECT v.due_at FROM invitations v
            WHERE v.workspace_id = c.workspace_id AND v.campaign_id = c.campaign_id AND v.due_at IS NOT NULL
                AND v.claim_id IS NULL
            ORDER BY v.due_at LIMIT 1
        ) first ON true
    ), gone AS (
        DELETE FROM sending_work s USING next n
        WHERE s.workspace_id = n.workspace_id AND s.campaign_id = n.campaign_id AND n.due_at IS NULL
    )
    UPDATE sending_work s SET due_at = n.due_at FROM next n
    WHERE s.workspace_id = n.workspace_id AND s.campaign_id = n.campaign_id AND n.due_at IS NOT NULL
"""
