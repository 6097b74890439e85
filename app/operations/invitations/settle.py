"""Writing down what became of mails, by whoever holds their claims; whose lease ran out finds nothing to write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.db.engine import Tx
from app.db.statements import fetch, next_revision, plan_anew
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import ClaimedInvitation, MessageKind
from app.domain.asking.reminders import next_reminder
from app.operations.invitations.wake import wake_campaigns

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
MOST_TRIES = 13  # over a day and a half


class MailEnd(StrEnum):
    SENT = "sent"
    FAILED = "failed"  # for good
    NOT_SENT = "not_sent"  # for certain, so it may be tried again
    HANDED_BACK = "handed_back"  # nobody tried: it is decided about anew, at once
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MailSettlement:
    invitation: ClaimedInvitation
    end: MailEnd
    failure: str | None = None
    reply_code: int | None = None
    has_bounced: bool = False  # there is no such address


async def settle_invitations(tx: Tx, settlements: Sequence[MailSettlement], *, now: datetime) -> int:
    """Says how many were still ours."""
    await plan_anew(tx)
    await _lock_in_order(tx, settlements)
    settled = await fetch(
        tx, _SETTLE,
        [one.invitation.campaign.workspace_id for one in settlements],
        [one.invitation.id for one in settlements],
        [one.invitation.claim_id for one in settlements],
        [one.invitation.message_id for one in settlements],
        [one.end.value for one in settlements],
        [one.failure for one in settlements],
        [one.reply_code for one in settlements],
        [one.has_bounced for one in settlements],
        [_due_next(one, now) for one in settlements],
        now, MOST_TRIES, FIRST_PAUSE, LONGEST_PAUSE, Reason.CANCELLED.value,
        [one.invitation.kind.value for one in settlements],
        [one.invitation.claimed_on for one in settlements],
    )  # fmt: skip
    await wake_campaigns(tx, [(row["workspace_id"], row["campaign_id"], row["due_at"]) for row in settled])
    stayed = [row for row in settled if row["counted_on"] is not None]
    if stayed:
        columns = ([row[name] for row in stayed] for name in ("workspace_id", "campaign_id", "counted_on"))
        await fetch(tx, _UNCOUNT, *columns)
    unasked = [row for row in settled if row["is_given_up"]]
    if unasked:
        people = ([row[name] for row in unasked] for name in ("workspace_id", "recipient_id"))
        await fetch(tx, _LET_OTHERS_ASK, *people, now)
    return len(settled)


async def _lock_in_order(tx: Tx, settlements: Sequence[MailSettlement]) -> None:
    """People, campaigns, and only then invitations, as whoever erases somebody or tells of a touchpoint does, and
    campaigns before days are counted, as whoever claims does, who waits for no person."""
    touching = [one for one in settlements if one.has_bounced or one.end in FREES]
    if touching:
        people = [one.invitation.addressee.id for one in touching]
        await fetch(tx, _LOCK_PEOPLE, [one.invitation.campaign.workspace_id for one in touching], people)
        spaces = [one.invitation.campaign.workspace_id for one in settlements]
        await fetch(tx, _LOCK_WORK, spaces, [one.invitation.campaign.id for one in settlements])


async def give_up_lost_mails(tx: Tx, *, now: datetime, limit: int = 500) -> int:
    """Whose sender died: nobody knows whether they left. They are counted, and never sent again."""
    return len(await fetch(tx, _GIVE_UP, now, limit))


async def expire_invitations(tx: Tx, *, now: datetime, limit: int = 1_000) -> int:
    return len(await fetch(tx, _EXPIRE, now, limit))


def _due_next(settlement: MailSettlement, now: datetime) -> datetime | None:
    """Of its next reminder."""
    invitation = settlement.invitation
    was_perhaps_sent = settlement.end is MailEnd.UNKNOWN and invitation.kind is MessageKind.REMINDER
    if settlement.end is not MailEnd.SENT and not was_perhaps_sent:
        return None
    return next_reminder(
        invitation.campaign.asking.reminders, asked_at=invitation.asked_at, sent=invitation.reminder_count,
        last_sent_at=now, blackouts=invitation.blackouts,
    )  # fmt: skip


FREES = {MailEnd.FAILED, MailEnd.NOT_SENT, MailEnd.HANDED_BACK}
FIRST = MessageKind.FIRST.value
STOOD_BACK = ", ".join(
    f"'{reason.value}'" for reason in (Reason.QUARANTINE, Reason.JOURNEY_GAP, Reason.JOURNEY_FULL, Reason.RESERVED)
)

_LOCK_PEOPLE = """
    SELECT FROM recipients p
    WHERE (p.workspace_id, p.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS b (workspace_id, id))
    ORDER BY p.workspace_id, p.id FOR NO KEY UPDATE
"""
_LOCK_WORK = """
    SELECT FROM sending_work s
    WHERE (s.workspace_id, s.campaign_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS b (workspace_id, id))
    ORDER BY s.workspace_id, s.campaign_id FOR UPDATE
"""
_BOUNCES = "j.has_bounced AND p.bounced_at IS NULL"  # which people see of a person; when they were asked they do not
# Of a first mail that certainly did not leave, the person was not asked: what `asked_at` was before is put back,
# unless somebody else has asked since. Nobody answers a mail before it was sent, but perhaps before it is settled.
_SETTLE = f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int[],
            $8::bool[], $9::timestamptz[], $15::text[], $16::date[])
            AS g (workspace_id, id, claim_id, message_id, ended, failure, reply_code, has_bounced, next_at, kind,
                claimed_on)
    ), held AS MATERIALIZED (
        SELECT v.workspace_id, v.id, v.campaign_id, v.recipient_id, v.state, v.asked_at, v.asked_before_at, v.wave,
            v.is_cancelled,
            g.message_id, g.ended, g.failure, g.reply_code, g.has_bounced, g.next_at, g.kind, g.claimed_on,
            (SELECT count(*) FROM messages o WHERE o.workspace_id = v.workspace_id AND o.invitation_id = v.id
                AND o.kind = g.kind AND o.state = 'failed')::int AS failures
        FROM given g
        JOIN invitations v ON v.workspace_id = g.workspace_id AND v.id = g.id AND v.claim_id = g.claim_id
        ORDER BY v.workspace_id, v.id FOR UPDATE OF v
    ), judged AS MATERIALIZED (
        SELECT h.*, h.ended = 'handed_back' OR h.ended = 'not_sent' AND failures + 1 < $11 AS again,
            h.ended IN ('failed', 'not_sent', 'handed_back') AND kind = '{FIRST}' AS unasked,
            CASE WHEN h.ended IN ('not_sent', 'handed_back') THEN claimed_on END AS counted_on,
            $10::timestamptz + CASE WHEN h.ended = 'handed_back' THEN interval '0'
                ELSE least($12::interval * 2 ^ failures, $13::interval) END AS again_at
        FROM held h
    ), told AS (
        UPDATE messages m SET settled_at = $10::timestamptz, failure = j.failure, reply_code = j.reply_code,
            state = CASE j.ended WHEN 'not_sent' THEN 'failed' ELSE j.ended END,
            bounced_at = CASE WHEN j.has_bounced THEN $10 END, bounce_kind = CASE WHEN j.has_bounced THEN 'hard' END
        FROM judged j
        WHERE m.workspace_id = j.workspace_id AND m.id = j.message_id AND j.ended <> 'handed_back'
    ), withdrawn AS (
        DELETE FROM messages m USING judged j
        WHERE m.workspace_id = j.workspace_id AND m.id = j.message_id AND j.ended = 'handed_back'
    ), freed AS (
        UPDATE recipients p SET
            asked_at = CASE WHEN j.unasked AND p.asked_at = j.asked_at THEN j.asked_before_at ELSE p.asked_at END,
            bounced_at = CASE WHEN {_BOUNCES} THEN $10 ELSE p.bounced_at END,
            updated_at = CASE WHEN {_BOUNCES} THEN $10 ELSE p.updated_at END,
            revision = p.revision + CASE WHEN {_BOUNCES} THEN 1 ELSE 0 END,
            changed_in = CASE WHEN {_BOUNCES} THEN pg_current_xact_id() ELSE p.changed_in END
        FROM judged j
        WHERE p.workspace_id = j.workspace_id AND p.id = j.recipient_id AND (j.unasked OR j.has_bounced)
    ), counted AS (
        INSERT INTO sending_days AS d (workspace_id, campaign_id, sent_on, bounced_count)
        SELECT j.workspace_id, j.campaign_id, ($10 AT TIME ZONE w.time_zone)::date, count(*)
        FROM judged j JOIN workspaces w ON w.id = j.workspace_id WHERE j.has_bounced GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (workspace_id, campaign_id, sent_on)
        DO UPDATE SET bounced_count = d.bounced_count + excluded.bounced_count
    )
    UPDATE invitations v SET claim_id = NULL, claimed_until = NULL, {next_revision("v")},
        state = CASE WHEN v.state <> 'sending' THEN v.state WHEN j.ended = 'sent' THEN 'sent'
            WHEN j.ended = 'unknown' THEN 'unknown' WHEN NOT j.again THEN 'failed'
            WHEN j.is_cancelled THEN 'skipped' ELSE 'planned' END,
        skip_reason = CASE WHEN v.state = 'sending' AND j.again AND j.is_cancelled THEN $14 END,
        asked_at = CASE WHEN j.unasked AND v.state = 'sending' THEN NULL ELSE v.asked_at END,
        expires_at = CASE WHEN j.unasked AND v.state = 'sending' THEN NULL ELSE v.expires_at END,
        bounced_at = CASE WHEN j.has_bounced THEN $10 ELSE v.bounced_at END,
        reminder_count = v.reminder_count - CASE WHEN j.again AND j.kind <> '{FIRST}' THEN 1 ELSE 0 END,
        due_at = CASE WHEN v.state NOT IN ('sending', 'sent') OR j.is_cancelled THEN NULL WHEN j.again THEN j.again_at
            ELSE j.next_at END
    FROM judged j
    WHERE v.workspace_id = j.workspace_id AND v.id = j.id
    RETURNING v.workspace_id, v.campaign_id, v.recipient_id, v.due_at, j.counted_on,
        v.state = 'failed' AND NOT j.has_bounced AS is_given_up
"""
# Who stood back for an ask that never was is decided about anew; whose time is over stays skipped.
_LET_OTHERS_ASK = f"""
    WITH stood_back AS MATERIALIZED (
        SELECT v.workspace_id, v.id
        FROM unnest($1::uuid[], $2::uuid[]) AS g (workspace_id, recipient_id)
        JOIN invitations v ON v.workspace_id = g.workspace_id AND v.recipient_id = g.recipient_id
        JOIN campaigns c ON c.workspace_id = v.workspace_id AND c.id = v.campaign_id
        WHERE v.claim_id IS NULL AND c.state IN ('running', 'paused') AND (
            v.state = 'planned' AND v.due_at IS NOT NULL
            OR v.state = 'skipped' AND v.asked_at IS NULL AND NOT v.is_cancelled
                AND v.skip_reason IN ({STOOD_BACK}) AND v.latest_at > $3
        )
        FOR UPDATE OF v SKIP LOCKED
    )
    UPDATE invitations v SET state = 'planned', skip_reason = NULL, due_at = NULL, {next_revision("v")}
    FROM stood_back s WHERE v.workspace_id = s.workspace_id AND v.id = s.id
"""
_UNCOUNT = """
    UPDATE sending_days d SET sent_count = greatest(0, d.sent_count - g.mails)
    FROM (
        SELECT workspace_id, campaign_id, sent_on, count(*) AS mails
        FROM unnest($1::uuid[], $2::uuid[], $3::date[]) AS g (workspace_id, campaign_id, sent_on) GROUP BY 1, 2, 3
    ) g
    WHERE d.workspace_id = g.workspace_id AND d.campaign_id = g.campaign_id AND d.sent_on = g.sent_on
"""
# Of a reminder that was lost the next one is due all the same: the clocks of its invitation are set anew.
_GIVE_UP = f"""
    WITH lost AS MATERIALIZED (
        SELECT workspace_id, id, claim_id FROM invitations WHERE claim_id IS NOT NULL AND claimed_until < $1
        ORDER BY claimed_until LIMIT $2 FOR UPDATE SKIP LOCKED
    ), told AS (
        UPDATE messages m SET state = 'unknown', settled_at = $1 FROM lost l
        WHERE m.workspace_id = l.workspace_id AND m.invitation_id = l.id AND m.state = 'sending'
    )
    UPDATE invitations v SET claim_id = NULL, claimed_until = NULL, {next_revision("v")},
        state = CASE WHEN v.state = 'sending' THEN 'unknown' ELSE v.state END,
        is_clock_stale = v.is_clock_stale OR v.state = 'sent'
    FROM lost l WHERE v.workspace_id = l.workspace_id AND v.id = l.id
    RETURNING v.id
"""
_EXPIRE = f"""
    WITH over AS MATERIALIZED (
        SELECT workspace_id, id FROM invitations WHERE state = 'sent' AND expires_at <= $1
            AND claim_id IS NULL
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    UPDATE invitations v SET state = 'expired', due_at = NULL, {next_revision("v")}
    FROM over o WHERE v.workspace_id = o.workspace_id AND v.id = o.id
    RETURNING v.id
"""
