"""Erasing people: what app/db/personal_data.py lists, and nothing that was counted.

The row of the person stays as a tombstone, so that no unique index is blocked and answers under way find somebody to
refer to. What batches in flight still wrote about them is erased again, once all of them must have ended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision, until_unraced
from app.domain import ids
from app.domain.events import Event, EventType
from app.domain.people.recipient import RecipientNotFound
from app.operations.deliveries.forget import HAS_HEADS, WITHOUT_HEADS
from app.operations.events import announce
from app.operations.responses.bodies import id_sql
from app.operations.suppressions import forget_idle_suppressions, remember_erased

SWEPT_AFTER = timedelta(seconds=60)  # longer than any transaction of ours may last


async def erase_recipient(tx: Tx, workspace_id: UUID, recipient_id: UUID, *, now: datetime, hmac_key: bytes) -> None:
    """Raises RecipientNotFound. What is announced says who is gone by their id here, and nothing else."""

    async def attempt(_: bool) -> None:  # noqa: FBT001 - until_unraced calls it so
        person = await _bury(tx, workspace_id, recipient_id, now=now)
        await remember_erased(tx, person, now=now, hmac_key=hmac_key)
        await _strip(tx, [workspace_id], [recipient_id], now=now)
        await announce(tx, workspace_id, [_deleted(recipient_id, revision=person["revision"], now=now)])

    await until_unraced(tx, attempt)


async def sweep_erasures(tx: Tx, *, now: datetime, limit: int = 100) -> int:
    """Erases again what was in flight, and lets go of the answers. Returns how many people were swept."""
    people = await fetch(tx, _CLAIM_UNSWEPT, now - SWEPT_AFTER, now, limit)
    if people:
        places = [row["workspace_id"] for row in people], [row["id"] for row in people]
        await _strip(tx, *places, now=now)
        await fetch(tx, _UNLINK_RESPONSES, *places, now)
    await forget_idle_suppressions(tx, now=now)
    return len(people)


def _deleted(recipient_id: UUID, *, revision: int, now: datetime) -> Event:
    body = {"recipient": {"id": ids.shown("recipient", recipient_id), "deleted": True, "revision": revision}}
    return Event(EventType.RECIPIENT_DELETED, body, now, revision=revision, recipient_id=recipient_id)


async def _bury(tx: Tx, workspace_id: UUID, recipient_id: UUID, *, now: datetime) -> Mapping[str, Any]:
    """The person as they were, with the revision of the tombstone."""
    found = await fetch(tx, _LOCK, workspace_id, recipient_id)
    if not found:
        raise RecipientNotFound("There is no recipient with this id.")
    buried = await fetch(tx, _BURY, workspace_id, recipient_id, now)
    return {**found[0], **buried[0]}


async def _strip(tx: Tx, workspace_ids: Sequence[UUID], recipient_ids: Sequence[UUID], *, now: datetime) -> None:
    """What is bare already is left alone: sweeping changes nothing where nothing was in flight."""
    for statement in (
        _LOCK_RESPONSES,
        _LOCK_INVITATIONS,
        _LOCK_EVENTS,
        _FORGET_REMOTE,
        _STRIP_REVISIONS,
        _STRIP_REPLIES,
        _THAW_DELIVERIES,
        _THAW_LOG,
        _REDACT_EVENTS,
        _LEAVE_CAMPAIGNS,
        _RELEASE_INVITATIONS,
        _STRIP_MESSAGES,
        _FORGET_MAILS,
        _FORGET_TOUCHPOINTS,
    ):
        await fetch(tx, statement, workspace_ids, recipient_ids)
    await fetch(tx, _STRIP_RESPONSES, workspace_ids, recipient_ids, now)


_LOCK = """
    SELECT workspace_id, external_id, email, phone, unsubscribed_at, complained_at, asked_at FROM recipients
    WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE
"""
_BURY = f"""
    UPDATE recipients
    SET external_id = NULL, email = NULL, phone = NULL, name = NULL, locale = NULL, time_zone = NULL,
        account_id = NULL, properties = '{{}}', unsubscribed_at = NULL, asked_at = NULL, bounced_at = NULL,
        complained_at = NULL, deleted_at = $3, updated_at = $3, {next_revision("recipients")}
    WHERE workspace_id = $1 AND id = $2
    RETURNING revision
"""
_CLAIM_UNSWEPT = """
    WITH due AS MATERIALIZED (
        SELECT workspace_id, id FROM recipients
        WHERE deleted_at < $1 AND swept_at IS NULL
        ORDER BY deleted_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE recipients r SET swept_at = $2 FROM due
    WHERE r.workspace_id = due.workspace_id AND r.id = due.id
    RETURNING r.workspace_id, r.id
"""

_ERASED = "unnest($1::uuid[], $2::uuid[]) AS erased (workspace_id, recipient_id)"
# What others wait for, before all that only hangs on it, and in the order in which they take it.
_LOCK_RESPONSES = f"""
    SELECT 1 FROM responses r JOIN {_ERASED} USING (workspace_id, recipient_id) ORDER BY r.workspace_id, r.id
    FOR NO KEY UPDATE OF r
"""
_LOCK_INVITATIONS = f"""
    SELECT 1 FROM invitations v JOIN {_ERASED} USING (workspace_id, recipient_id) ORDER BY v.workspace_id, v.id
    FOR NO KEY UPDATE OF v
"""
_LOCK_EVENTS = f"""
    SELECT 1 FROM events e JOIN {_ERASED} USING (workspace_id, recipient_id) ORDER BY e.workspace_id, e.id
    FOR NO KEY UPDATE OF e
"""
_STRIP_RESPONSES = f"""
    UPDATE responses r
    SET comment = NULL, language = NULL, properties = '{{}}', recipient_properties = NULL,
        answers = NULL, occasion = NULL, slot = 'response:' || r.id,
        excluded_reason = CASE WHEN r.excluded_reason IS NOT NULL THEN 'erased' END,
        updated_at = $3, {next_revision("r")}
    FROM {_ERASED}
    WHERE r.workspace_id = erased.workspace_id AND r.recipient_id = erased.recipient_id AND (
        num_nonnulls(r.comment, r.language, r.recipient_properties, r.occasion, r.answers) > 0 OR r.properties <> '{{}}'
        OR r.excluded_reason <> 'erased' OR r.slot <> 'response:' || r.id
    )
"""
_UNLINK_RESPONSES = f"""
    UPDATE responses r
    SET recipient_id = NULL, updated_at = $3, {next_revision("r")}
    FROM {_ERASED}
    WHERE r.workspace_id = erased.workspace_id AND r.recipient_id = erased.recipient_id
"""
_STRIP_REVISIONS = f"""
    UPDATE response_revisions v SET comment = NULL, answers = NULL, excluded_reason = NULL, reason = NULL
    FROM {_ERASED}
    JOIN responses r ON r.workspace_id = erased.workspace_id AND r.recipient_id = erased.recipient_id
    WHERE v.workspace_id = r.workspace_id AND v.response_id = r.id
        AND num_nonnulls(v.comment, v.answers, v.excluded_reason, v.reason) > 0
"""

_FORGET_REMOTE = f"""
    DELETE FROM remote_records m
    USING {_ERASED}
    JOIN responses r ON r.workspace_id = erased.workspace_id AND r.recipient_id = erased.recipient_id
    WHERE m.workspace_id = r.workspace_id AND m.subject_id = r.id
"""

_THEIR_EVENTS = f"{_ERASED} JOIN events e USING (workspace_id, recipient_id)"
_THAW_DELIVERIES = f"""
    UPDATE deliveries d SET body = NULL FROM {_THEIR_EVENTS}
    WHERE d.workspace_id = e.workspace_id AND d.event_id = e.id AND d.body IS NOT NULL
"""
_THAW_LOG = f"""
    UPDATE delivery_log d SET body = NULL FROM {_THEIR_EVENTS}
    WHERE d.workspace_id = e.workspace_id AND d.event_id = e.id AND d.body IS NOT NULL
"""
_STRIP_REPLIES = f"""
    UPDATE delivery_attempts a SET {WITHOUT_HEADS}
    FROM (
        SELECT d.workspace_id, d.id FROM {_THEIR_EVENTS}
        JOIN deliveries d ON d.workspace_id = e.workspace_id AND d.event_id = e.id
        UNION ALL
        SELECT d.workspace_id, d.id FROM {_THEIR_EVENTS}
        JOIN delivery_log d ON d.workspace_id = e.workspace_id AND d.event_id = e.id
    ) AS sent
    WHERE a.workspace_id = sent.workspace_id AND a.delivery_id = sent.id AND {HAS_HEADS}
"""
_REDACT_EVENTS = f"""
    UPDATE events e SET body = json_strip_nulls(json_build_object(
        'redacted', true,
        'recipient', json_build_object('id', {id_sql("recipient", "e.recipient_id")}),
        'response', CASE WHEN e.response_id IS NOT NULL THEN json_build_object(
            'id', {id_sql("response", "e.response_id")}, 'campaign_id', {id_sql("campaign", "e.campaign_id")},
            'score', e.score, 'band', e.band, 'revision', e.revision
        ) END
    ))
    FROM {_ERASED}
    WHERE e.workspace_id = erased.workspace_id AND e.recipient_id = erased.recipient_id
        AND e.type <> 'recipient.deleted' AND e.body ->> 'redacted' IS NULL
"""
_LEAVE_CAMPAIGNS = f"""
    DELETE FROM campaign_recipients c USING {_ERASED}
    WHERE c.workspace_id = erased.workspace_id AND c.recipient_id = erased.recipient_id
"""

# Whom nobody can ask any more; what was asked stays counted in the funnel.
_RELEASE_INVITATIONS = f"""
    UPDATE invitations v
    SET slot = 'invitation:' || v.id, due_at = NULL,
        state = CASE WHEN v.state = 'planned' THEN 'skipped' ELSE v.state END,
        skip_reason = CASE WHEN v.state = 'planned' THEN 'erased' ELSE v.skip_reason END,
        {next_revision("v")}
    FROM {_ERASED}
    WHERE v.workspace_id = erased.workspace_id AND v.recipient_id = erased.recipient_id
        AND v.slot <> 'invitation:' || v.id
"""
_STRIP_MESSAGES = f"""
    UPDATE messages m SET domain = '' FROM {_ERASED}
    JOIN invitations v ON v.workspace_id = erased.workspace_id AND v.recipient_id = erased.recipient_id
    WHERE m.workspace_id = v.workspace_id AND m.invitation_id = v.id AND m.domain <> ''
"""
_FORGET_MAILS = f"""
    DELETE FROM captured_mails m USING {_ERASED}
    WHERE m.workspace_id = erased.workspace_id AND m.recipient_id = erased.recipient_id
"""
_FORGET_TOUCHPOINTS = f"""
    DELETE FROM touchpoints t USING {_ERASED}
    WHERE t.workspace_id = erased.workspace_id AND t.recipient_id = erased.recipient_id
"""
