"""One answer at a time: amend, exclude, restore, delete. The acts behind the API's routes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, delete

from app.db.engine import Tx
from app.db.tables import responses
from app.domain import ids
from app.domain.errors import Conflict
from app.domain.events import Event, EventType
from app.domain.metric import METRICS
from app.domain.response import ResponseNotFound
from app.operations.events import announce
from app.operations.responses.amend import Amendment, apply_amendments, move_counters
from app.operations.responses.forget import forget_what_was_told
from app.queries.responses import lock_response


class ExclusionRefused(Conflict):
    """The response is already in that state."""

    code = "exclusion_refused"


async def amend_response(
    tx: Tx,
    workspace_id: UUID,
    response_id: UUID,
    *,
    changes: dict[str, object],
    actor: str,
    reason: str | None,
    now: datetime,
) -> None:
    """`changes`: any of score, comment, may_contact; None clears the latter two. Raises `ScoreOutOfRange`."""
    amendment = await _locked(tx, workspace_id, response_id)
    before = (amendment.score, amendment.comment, amendment.may_contact)
    for name, value in changes.items():
        setattr(amendment, name, value)
    METRICS[amendment.original["metric"]].band_for(amendment.score)
    if (amendment.score, amendment.comment, amendment.may_contact) != before:
        await _apply(tx, amendment, change="amended", actor=actor, reason=reason, now=now)


async def exclude_response(
    tx: Tx, workspace_id: UUID, response_id: UUID, *, reason: str, actor: str, now: datetime
) -> None:
    """It stays readable and is counted no more. Raises `ExclusionRefused`."""
    amendment = await _locked(tx, workspace_id, response_id)
    if amendment.excluded_at is not None:
        raise ExclusionRefused(f"It is excluded already: {amendment.excluded_reason}.")
    amendment.excluded_at, amendment.excluded_reason = now, reason
    await _apply(tx, amendment, change="excluded", actor=actor, reason=reason, now=now)


async def restore_response(
    tx: Tx, workspace_id: UUID, response_id: UUID, *, reason: str | None, actor: str, now: datetime
) -> None:
    """Raises `ExclusionRefused`."""
    amendment = await _locked(tx, workspace_id, response_id)
    if amendment.excluded_at is None:
        raise ExclusionRefused("It is not excluded.")
    amendment.excluded_at, amendment.excluded_reason = None, None
    await _apply(tx, amendment, change="restored", actor=actor, reason=reason, now=now)


async def delete_response(tx: Tx, workspace_id: UUID, response_id: UUID, *, now: datetime) -> None:
    """Gone for good, and out of the scores. The announcement names it and nothing else."""
    row = await _lock(tx, workspace_id, response_id)
    await forget_what_was_told(tx, row)
    await tx.execute(delete(responses).where(responses.c.workspace_id == workspace_id, responses.c.id == response_id))
    await announce(tx, workspace_id, [_deleted(row, now)])
    await move_counters(tx, [(row, [(row["score"], -1)] if row["excluded_at"] is None else [])])


async def _lock(tx: Tx, workspace_id: UUID, response_id: UUID) -> RowMapping:
    row = await lock_response(tx, workspace_id, response_id)
    if row is None:
        raise ResponseNotFound("There is no response with this id.")
    return row


async def _locked(tx: Tx, workspace_id: UUID, response_id: UUID) -> Amendment:
    return Amendment.of(await _lock(tx, workspace_id, response_id))


async def _apply(tx: Tx, amendment: Amendment, *, change: str, actor: str, reason: str | None, now: datetime) -> None:
    amendment.change, amendment.actor, amendment.reason, amendment.changed_at = change, actor, reason, now
    await apply_amendments(tx, [amendment])


def _deleted(row: RowMapping, now: datetime) -> Event:
    metric = METRICS[row["metric"]]
    body = {
        "response": {
            "id": ids.shown("response", row["id"]),
            "campaign_id": ids.shown("campaign", row["campaign_id"]),
            "deleted": True,
            "revision": row["revision"] + 1,
        }
    }
    return Event(
        EventType.RESPONSE_DELETED,
        body,
        now,
        revision=row["revision"] + 1,
        campaign_id=row["campaign_id"],
        response_id=row["id"],
        band=metric.band_for(row["score"]),
        score=row["score"],
    )
