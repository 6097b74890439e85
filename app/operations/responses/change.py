"""One answer at a time: amend, exclude, restore, delete. The acts behind the API's routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete

from app.db.engine import Tx
from app.db.statements import fetch
from app.db.tables import responses
from app.domain import ids
from app.domain.errors import Conflict
from app.domain.events import Event, EventType
from app.domain.response import ResponseNotFound
from app.domain.scores.metric import METRICS
from app.domain.survey.answers import check_answers, merged_answers
from app.operations.events import announce
from app.operations.responses.amend import Amendment, apply_amendments, move_counters
from app.operations.responses.forget import forget_what_was_told
from app.queries.responses import lock_response
from app.queries.survey_questions import questions_of_version

FORGET_FOLLOW_UP = "DELETE FROM follow_ups WHERE workspace_id = $1 AND response_id = $2"
MAY_BE_AMENDED = ("score", "comment", "answers", "may_contact")


class ExclusionRefused(Conflict):
    """The response is already in that state."""

    code = "exclusion_refused"


async def amend_response(
    tx: Tx,
    workspace_id: UUID,
    response_id: UUID,
    *,
    changes: Mapping[str, Any],
    actor: str,
    reason: str | None,
    now: datetime,
) -> None:
    """`changes`: any of score, comment, answers, may_contact; None clears all but the score.

    Raises ScoreOutOfRange, AnswersInvalid.
    """
    amendment = await _locked(tx, workspace_id, response_id)
    before = [getattr(amendment, name) for name in MAY_BE_AMENDED]
    if changes.get("answers") is not None:
        changes = {**changes, "answers": await _answers_after(tx, amendment.original, changes["answers"])}
    for name, value in changes.items():
        setattr(amendment, name, value)
    METRICS[amendment.original["metric"]].band_for(amendment.score)
    if [getattr(amendment, name) for name in MAY_BE_AMENDED] != before:
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
    await fetch(tx, FORGET_FOLLOW_UP, workspace_id, response_id)
    await tx.execute(delete(responses).where(responses.c.workspace_id == workspace_id, responses.c.id == response_id))
    await announce(tx, workspace_id, [_deleted(row, now)])
    await move_counters(tx, [(row, [(row["score"], -1)] if row["excluded_at"] is None else [])])


async def _answers_after(tx: Tx, original: RowMapping, said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Checked against the version of the survey that was answered."""
    questions = await questions_of_version(
        tx, original["workspace_id"], original["campaign_id"], original["survey_version"]
    )
    return merged_answers(original["answers"] or {}, check_answers(questions, said)) or None


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
