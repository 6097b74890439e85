"""What to do with an answer that is already there.

Its original is found by what the caller gave, the most deliberate first: our own id (a commit whose acknowledgement
was lost), Idempotency-Key, import id, the browser's reference, the answer slot.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.response import (
    BROWSER_MAY_AMEND_FOR,
    AlreadyAnswered,
    IdempotencyKeyReused,
    IfAnswered,
    ResponseSealed,
    ScoreMissing,
    is_same_answer,
)
from app.domain.scores.metric import METRICS
from app.domain.survey.survey_link import TAKEN_OUT_BY_LINK
from app.operations.responses.amend import Amendment, apply_amendments
from app.operations.responses.new_response import PART_FIELDS, NewResponse, Recorded, What, part_of_answer


async def settle_repeats(tx: Tx, repeats: Sequence[NewResponse]) -> list[Recorded | DomainError | None]:
    """The outcome of each; None where the original was deleted between the insert and now."""
    originals = await _lock_originals(tx, repeats)
    standing: dict[UUID, Amendment] = {}
    outcomes: list[Recorded | DomainError | None] = []
    for repeat, original in zip(repeats, originals, strict=True):
        if original is None:
            outcomes.append(None)
            continue
        amendment = standing.setdefault(original["id"], Amendment.of(original))
        outcomes.append(_settle(repeat, amendment))
    await apply_amendments(tx, [amendment for amendment in standing.values() if amendment.is_change])
    await _renumber(tx, [amendment for amendment in standing.values() if not amendment.is_change])
    await _mark_invitations(tx, repeats, originals, outcomes)
    return outcomes


async def _mark_invitations(
    tx: Tx,
    repeats: Sequence[NewResponse],
    originals: Sequence[RowMapping | None],
    outcomes: Sequence[Recorded | DomainError | None],
) -> None:
    """Of people who had answered elsewhere, and now say so, or something else, where they were invited to."""
    marks = [
        (repeat.workspace_id, repeat.invitation_id, original["id"], repeat.received_at)
        for repeat, original, outcome in zip(repeats, originals, outcomes, strict=True)
        if repeat.invitation_id is not None
        and original is not None
        and original["invitation_id"] != repeat.invitation_id
        and isinstance(outcome, Recorded)
    ]
    if marks:
        await fetch(tx, _MARK_INVITATIONS, *map(list, zip(*marks, strict=True)))


_MARK_INVITATIONS = f"""
    UPDATE invitations v SET state = 'answered', response_id = r.id, due_at = NULL,
        answered_at = CASE WHEN v.response_id = r.id THEN v.answered_at ELSE t.at END,
        commented_at = CASE WHEN v.response_id = r.id AND v.commented_at IS NOT NULL THEN v.commented_at
                            WHEN r.comment IS NOT NULL THEN t.at END,
        {next_revision("v")}
    FROM (
        SELECT DISTINCT ON (workspace_id, id) *
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS t (workspace_id, id, response_id, at)
        ORDER BY workspace_id, id
    ) t
    JOIN responses r ON r.workspace_id = t.workspace_id AND r.id = t.response_id
    WHERE v.workspace_id = t.workspace_id AND v.id = t.id
        AND (v.response_id IS DISTINCT FROM r.id OR (v.commented_at IS NULL AND r.comment IS NOT NULL))
"""


async def _lock_originals(tx: Tx, repeats: Sequence[NewResponse]) -> list[RowMapping | None]:
    columns = {name: [getattr(repeat, name) for repeat in repeats] for name in _SOUGHT}
    found = (await tx.execute(_FIND_ORIGINALS, columns)).scalars().all()
    wanted = {"workspace_ids": columns["workspace_id"], "ids": list(found)}
    by_id = {row["id"]: row for row in (await tx.execute(_LOCK_ORIGINALS, wanted)).mappings()}
    return [by_id.get(original_id) for original_id in found]


_FIND_ORIGINALS = text("""
    SELECT o.id FROM unnest(
        CAST(:workspace_id AS uuid[]), CAST(:id AS uuid[]), CAST(:campaign_id AS uuid[]),
        CAST(:recipient_id AS uuid[]), CAST(:slot AS text[]), CAST(:import_id AS text[]),
        CAST(:client_ref AS uuid[]), CAST(:idempotency_key AS uuid[])
    ) WITH ORDINALITY AS i (
        workspace_id, id, campaign_id, recipient_id, slot, import_id, client_ref, idempotency_key, place
    )
    LEFT JOIN LATERAL (
        SELECT id FROM (
            SELECT 1 AS way, r.id FROM responses r WHERE r.workspace_id = i.workspace_id AND r.id = i.id
            UNION ALL SELECT 2, r.id FROM responses r
                WHERE r.workspace_id = i.workspace_id AND r.idempotency_key = i.idempotency_key
            UNION ALL SELECT 3, r.id FROM responses r
                WHERE r.workspace_id = i.workspace_id AND r.campaign_id = i.campaign_id AND r.import_id = i.import_id
            UNION ALL SELECT 4, r.id FROM responses r
                WHERE r.workspace_id = i.workspace_id AND r.campaign_id = i.campaign_id AND r.client_ref = i.client_ref
            UNION ALL SELECT 5, r.id FROM responses r
                WHERE r.workspace_id = i.workspace_id AND r.recipient_id = i.recipient_id
                    AND r.campaign_id = i.campaign_id AND r.slot = i.slot
        ) found ORDER BY way LIMIT 1
    ) o ON true
    ORDER BY i.place
""")
_SOUGHT = ("workspace_id", "id", "campaign_id", "recipient_id", "slot", "import_id", "client_ref", "idempotency_key")

# Always in the order of ids: two batches that share originals wait for each other instead of deadlocking.
_LOCK_ORIGINALS = text("""
    SELECT r.*, c.metric FROM responses r
    JOIN campaigns c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
    WHERE (r.workspace_id, r.id) IN (
        SELECT * FROM unnest(CAST(:workspace_ids AS uuid[]), CAST(:ids AS uuid[]))
    )
    ORDER BY r.id FOR UPDATE OF r
""")


def _settle(repeat: NewResponse, standing: Amendment) -> Recorded | DomainError:
    """Several parts of one answer may come in one batch: each meets what the parts before it made of it."""
    original = standing.original
    if original["id"] == repeat.id:
        return _recorded(standing, What.CREATED)  # the commit we never heard of
    if repeat.idempotency_key is not None and original["idempotency_key"] == repeat.idempotency_key:
        return _same_key(repeat, standing)
    if repeat.client_ref is not None and original["client_ref"] == repeat.client_ref:
        return _next_part(repeat, standing)
    if standing.excluded_reason in TAKEN_OUT_BY_LINK and _is_by_another_way(repeat, original):
        return _amended(repeat, standing, by=Amendment.stand_again)
    if repeat.client_sequences is not None and repeat.invitation_id is not None:
        return _next_act(repeat, standing)
    if is_same_answer(_said(repeat), _said(standing)):
        return _recorded(standing, What.REPEATED)
    if repeat.if_answered is IfAnswered.AMEND:
        return _amended(repeat, standing)
    return _already_answered(standing)


def _is_by_another_way(repeat: NewResponse, original: RowMapping) -> bool:
    """What was taken out of an answer by link says nothing of what its person says elsewhere."""
    is_known_import = repeat.import_id is not None and repeat.import_id == original["import_id"]
    return repeat.invitation_id is None and not is_known_import


def _said(answer: NewResponse | Amendment) -> dict[str, Any]:
    told = json.loads(answer.answers) if isinstance(answer.answers, str) else answer.answers
    said = {name: getattr(answer, name) for name in ("score", "comment", "may_contact", "certainty")}
    return said | {"answers": told}


def _same_key(repeat: NewResponse, standing: Amendment) -> Recorded | DomainError:
    if standing.original["request_digest"] == repeat.request_digest:
        return _recorded(standing, What.REPEATED)
    return IdempotencyKeyReused("This Idempotency-Key came with another body before; use a new key for a new answer.")


def _next_part(repeat: NewResponse, standing: Amendment) -> Recorded | DomainError:
    """A browser sends what it has: what the part with the highest number says of a field counts, in whatever order."""
    original, news = standing.original, _news(repeat, standing)
    if original["client_key_id"] != repeat.client_key_id:
        return ResponseSealed("This answer came through another key.")
    if not news:
        return _recorded(standing, What.REPEATED)
    if repeat.received_at - original["created_at"] > BROWSER_MAY_AMEND_FOR:
        return ResponseSealed("A browser may change an answer for 24 hours.")
    return _amended(_not_overtaken(repeat, news), standing)


def _next_act(repeat: NewResponse, standing: Amendment) -> Recorded | DomainError:
    """On the page of a link: what was done before something that is here already changes nothing."""
    news = _news(repeat, standing)
    if "score" not in news:
        return _recorded(standing, What.REPEATED)
    is_withdrawn = repeat.withdraws_comment and standing.comment is not None
    if is_withdrawn or not is_same_answer(_said(repeat), _said(standing)):
        return _amended(_not_overtaken(repeat, news), standing)
    standing.client_sequences = (standing.client_sequences or {}) | news
    return _recorded(standing, What.REPEATED)


def _news(repeat: NewResponse, standing: Amendment) -> dict[str, int]:
    """The numbers of what it says for which no higher one is known."""
    parts, known = json.loads(repeat.client_sequences or "{}"), standing.client_sequences or {}
    return {name: number for name, number in parts.items() if number > known.get(name, -1)}


def _not_overtaken(repeat: NewResponse, news: Mapping[str, int]) -> NewResponse:
    overtaken: dict[str, Any] = dict.fromkeys(name for name in PART_FIELDS if name not in news)
    answers = json.loads(repeat.answers or "{}")
    newer = {key: answer for key, answer in answers.items() if part_of_answer(key) in news}
    overtaken["answers"] = json.dumps(newer) if newer else None
    return replace(repeat, **overtaken, client_sequences=json.dumps(news))


def _amended(
    repeat: NewResponse, standing: Amendment, by: Callable[[Amendment, NewResponse], None] = Amendment.amend
) -> Recorded | DomainError:
    if repeat.refusal is not None and not isinstance(repeat.refusal, ScoreMissing):
        return repeat.refusal
    try:
        by(standing, repeat)
    except DomainError as error:
        return error
    return _recorded(standing, What.AMENDED)


async def _renumber(tx: Tx, settled: Sequence[Amendment]) -> None:
    """The same was said once more: that it was said so late is remembered, and is no change."""
    later = [one for one in settled if one.client_sequences != one.original["client_sequences"]]
    if later:
        columns = {
            "workspace_ids": [one.original["workspace_id"] for one in later],
            "ids": [one.original["id"] for one in later],
            "numbers": [json.dumps(one.client_sequences) for one in later],
        }
        await tx.execute(_RENUMBER, columns)


_RENUMBER = text("""
    UPDATE responses r SET client_sequences = t.numbers
    FROM unnest(
        CAST(:workspace_ids AS uuid[]), CAST(:ids AS uuid[]), CAST(:numbers AS jsonb[])
    ) AS t (workspace_id, id, numbers)
    WHERE r.workspace_id = t.workspace_id AND r.id = t.id
""")


def _already_answered(standing: Amendment) -> AlreadyAnswered:
    shown = ids.shown("response", standing.original["id"])
    return AlreadyAnswered(
        f"{shown} holds another answer of this person; say if_answered=amend to change it.", response_id=shown
    )


def _recorded(standing: Amendment, what: What) -> Recorded:
    original = standing.original
    band = METRICS[original["metric"]].band_for(standing.score)
    return Recorded(
        what, original["id"], original["campaign_id"], original["survey_version"], original["recipient_id"],
        original["channel"], standing.score, band, standing.comment, original["answered_at"], standing.revision,
    )  # fmt: skip
