"""What is written down when somebody is on the page of a personal link, beside the answer itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.survey.scanner import FlagReason
from app.domain.survey.survey_link import MISTAKE_NOTICED_WITHIN, NOT_ME, SCANNER, TAKEN_OUT_BY_LINK
from app.operations.recipient_changes import resubscribe_recipient, unsubscribe_recipient
from app.operations.responses.change import exclude_response, restore_response
from app.queries.responses import lock_response
from app.queries.survey_links import Link

ACTOR = "survey page"


async def note_page_opened(tx: Tx, link: Link, *, now: datetime, is_moved: bool = False) -> None:
    """`is_moved`: by somebody who moved there, which no program does."""
    await fetch(tx, _NOTE_OPENED, link.workspace_id, link.invitation_id, now, is_moved)


async def flag_invitation(tx: Tx, link: Link, reason: FlagReason, *, hits: int, excludes: bool, now: datetime) -> None:
    """Keeps the evidence. `excludes`: what is recorded was not done by a person, so it counts no more."""
    if excludes:
        await _response_of(tx, link)  # locked before the invitation, as by whoever records
    await fetch(tx, _FLAG, link.workspace_id, link.invitation_id, now, reason.value, hits)
    if excludes:
        await _take_out(tx, link, SCANNER, now=now)


async def readmit_answer(tx: Tx, link: Link, *, now: datetime) -> None:
    """Somebody moved, so it was no scanner, or it was them after all."""
    row = await _response_of(tx, link)  # locked before the invitation, as by whoever records
    await fetch(tx, _UNFLAG, link.workspace_id, link.invitation_id)
    if row is not None and row["excluded_reason"] in TAKEN_OUT_BY_LINK:
        await restore_response(tx, link.workspace_id, row["id"], reason=None, actor=ACTOR, now=now)


async def disown_answer(tx: Tx, link: Link, *, now: datetime) -> None:
    """Whoever had the link is not the person who was asked: nothing may count in their name, and they hear no more."""
    await _take_out(tx, link, NOT_ME, now=now)
    await fetch(tx, _END_REMINDERS, link.workspace_id, link.invitation_id)


async def mark_answered(
    tx: Tx, workspace_id: UUID, invitation_ids: Sequence[UUID], *, at_least: int, at: datetime
) -> set[UUID]:
    """Of an anonymous campaign: several at once, and the day is all they know. Comes back with those that are left to
    be marked, since they are too few.
    """
    unmarked = {row["id"] for row in await fetch(tx, _LOCK_UNMARKED, workspace_id, list(invitation_ids))}
    if len(unmarked) < at_least:
        return unmarked
    await fetch(tx, _MARK_ANSWERED, workspace_id, list(unmarked), at)
    return set()


async def unsubscribe_by_link(tx: Tx, link: Link, *, now: datetime) -> None:
    """Raises RecipientNotFound, where they were erased meanwhile."""
    await unsubscribe_recipient(tx, link.workspace_id, link.recipient_id, now=now)
    await fetch(tx, _NOTE_UNSUBSCRIBED, link.workspace_id, link.invitation_id, now)


async def resubscribe_by_link(tx: Tx, link: Link, *, now: datetime) -> None:
    """Lately and through this link: it does not bring back who refused in another way."""
    since = now - MISTAKE_NOTICED_WITHIN
    await fetch(tx, _LOCK_PERSON, link.workspace_id, link.recipient_id)  # before the invitation, as by whoever refuses
    for row in await fetch(tx, _TAKE_BACK_UNSUBSCRIBED, link.workspace_id, link.invitation_id, since):
        refused_at = row["unsubscribed_at"]
        await resubscribe_recipient(tx, link.workspace_id, link.recipient_id, unsubscribed_at=refused_at, now=now)


async def _take_out(tx: Tx, link: Link, reason: str, *, now: datetime) -> None:
    row = await _response_of(tx, link)
    if row is None or row["excluded_at"] is not None:
        return
    (said,) = await fetch(tx, _IS_BY_LINK, link.workspace_id, row["id"], link.invitation_id, ACTOR)
    if said["is_by_link"]:  # what the person said in another way, nobody here has touched
        await exclude_response(tx, link.workspace_id, row["id"], reason=reason, actor=ACTOR, now=now)


async def _response_of(tx: Tx, link: Link) -> Mapping[Any, Any] | None:
    (row,) = await fetch(tx, _RESPONSE_ID, link.workspace_id, link.invitation_id)
    response_id: UUID | None = row["response_id"]
    return await lock_response(tx, link.workspace_id, response_id) if response_id is not None else None


_CHANGED = next_revision("invitations")
_OF_LINK = "WHERE workspace_id = $1 AND id = $2"
_NOTE_OPENED = f"""
    UPDATE invitations SET page_opened_at = coalesce(page_opened_at, $3),
        gestured_at = CASE WHEN $4 THEN coalesce(gestured_at, $3) ELSE gestured_at END, {_CHANGED}
    {_OF_LINK} AND (page_opened_at IS NULL OR ($4 AND gestured_at IS NULL))
"""
_END_REMINDERS = f"""
    UPDATE invitations SET due_at = NULL, is_cancelled = true, {_CHANGED} {_OF_LINK} AND state IN ('sending', 'sent')
"""
_FLAG = f"""
    UPDATE invitations SET flagged_at = coalesce(flagged_at, $3), flag_reason = coalesce(flag_reason, $4),
        scanner_hits = scanner_hits + $5, {_CHANGED}
    {_OF_LINK}
"""
_UNFLAG = f"""
    UPDATE invitations SET flagged_at = NULL, flag_reason = NULL, {_CHANGED} {_OF_LINK} AND flagged_at IS NOT NULL
"""
_LOCK_UNMARKED = """
    SELECT id FROM invitations WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND state <> 'answered'
    ORDER BY id FOR NO KEY UPDATE
"""
_MARK_ANSWERED = f"""
    UPDATE invitations SET state = 'answered', answered_at = $3, due_at = NULL, {_CHANGED}
    WHERE workspace_id = $1 AND id = ANY($2::uuid[])
"""
_RESPONSE_ID = f"SELECT response_id FROM invitations {_OF_LINK}"
_IS_BY_LINK = """
    SELECT coalesce(r.invitation_id = $3, false) OR EXISTS (
        SELECT FROM response_revisions o
        WHERE o.workspace_id = r.workspace_id AND o.response_id = r.id AND o.change = 'amended' AND o.actor = $4
    ) AS is_by_link
    FROM responses r WHERE r.workspace_id = $1 AND r.id = $2
"""
_NOTE_UNSUBSCRIBED = f"""
    UPDATE invitations SET unsubscribed_at = $3, {_CHANGED} {_OF_LINK} AND unsubscribed_at IS NULL
"""
_LOCK_PERSON = "SELECT 1 FROM recipients WHERE workspace_id = $1 AND id = $2 FOR NO KEY UPDATE"
_TAKE_BACK_UNSUBSCRIBED = f"""
    UPDATE invitations v SET unsubscribed_at = NULL, {next_revision("v")}
    FROM (SELECT unsubscribed_at FROM invitations {_OF_LINK} AND unsubscribed_at >= $3 FOR UPDATE) before
    WHERE v.workspace_id = $1 AND v.id = $2
    RETURNING before.unsubscribed_at
"""
