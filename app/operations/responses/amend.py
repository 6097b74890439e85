"""Changing answers that are already there: score and comment, exclusion, deletion.

Every change keeps what was before as a revision, moves the counters by the difference and is announced, all in the
caller's transaction and from rows it has locked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import RowMapping, text

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import next_revision
from app.domain.events import EventType
from app.domain.response import Certainty
from app.domain.scores.metric import METRICS
from app.domain.survey.answers import merged_answers
from app.operations.events import CHANNEL
from app.operations.responses.bodies import METRIC_TABLE, band_sql, body_sql, told_sql
from app.operations.responses.new_response import NewResponse
from app.operations.rollups import rollup_ctes


@dataclass(slots=True)
class Amendment:
    """A locked response (`responses` joined with its campaign's metric) and what it is to become."""

    original: RowMapping
    score: int
    comment: str | None
    language: str | None
    may_contact: bool | None
    client_sequences: dict[str, int] | None
    certainty: str
    answers: dict[str, Any] | None
    excluded_reason: str | None
    excluded_at: datetime | None
    changed_at: datetime | None = None
    actor: str = ""
    reason: str | None = None
    change: str = "amended"

    @classmethod
    def of(cls, original: RowMapping) -> Self:
        return cls(original=original, **{name: original[name] for name in _MAY_CHANGE})

    @property
    def is_change(self) -> bool:
        return self.changed_at is not None

    @property
    def revision(self) -> int:
        return int(self.original["revision"]) + self.is_change

    @property
    def band(self) -> str:
        return METRICS[self.original["metric"]].band_for(self.score)

    @property
    def previous_band(self) -> str:
        return METRICS[self.original["metric"]].band_for(self.original["score"])

    @property
    def event_type(self) -> EventType:
        if self.change == "excluded":
            return EventType.RESPONSE_EXCLUDED
        if self.change == "restored":
            return EventType.RESPONSE_RESTORED
        return EventType.RESPONSE_UPDATED if self.band == self.previous_band else EventType.RESPONSE_BAND_CHANGED

    def amend(self, later: NewResponse) -> None:
        """Takes what the later call says; what it leaves out stays. Raises `ScoreOutOfRange`."""
        if later.score is not None:
            METRICS[self.original["metric"]].band_for(later.score)
            self.score = later.score
        kept = None if later.withdraws_comment else self.comment
        self.comment = later.comment if later.comment is not None else kept
        self.language = later.language or self.language
        self.may_contact = later.may_contact if later.may_contact is not None else self.may_contact
        if later.client_sequences is not None:
            self.client_sequences = (self.client_sequences or {}) | json.loads(later.client_sequences)
        if later.certainty is Certainty.CONFIRMED:
            self.certainty = Certainty.CONFIRMED
        if later.answers is not None:
            self.answers = merged_answers(self.answers or {}, json.loads(later.answers)) or None
        self.changed_at, self.actor = later.received_at, later.actor

    def stand_again(self, later: NewResponse) -> None:
        """Takes nothing but what the later call says. Raises `ScoreOutOfRange`."""
        self.amend(later)
        self.comment, self.language, self.may_contact = later.comment, later.language, later.may_contact
        self.answers = json.loads(later.answers) if later.answers is not None else None
        self.excluded_at, self.excluded_reason = None, None
        self.change = "restored"

    def counter_moves(self) -> list[tuple[int, int]]:
        """(score, ±1) for each counter that this change moves."""
        counted_before = self.original["excluded_at"] is None
        counted_after = self.excluded_at is None
        if counted_before and counted_after and self.score == self.original["score"]:
            return []
        return [(self.original["score"], -1)] * counted_before + [(self.score, 1)] * counted_after


_MAY_CHANGE = (
    "score", "comment", "language", "may_contact", "client_sequences", "certainty", "answers", "excluded_reason",
    "excluded_at",
)  # fmt: skip


async def apply_amendments(tx: Tx, amendments: Sequence[Amendment]) -> None:
    if not amendments:
        return
    await _keep_revisions(tx, amendments)
    await _update_responses(tx, amendments)
    await _announce(tx, amendments)
    await move_counters(tx, [(amendment.original, amendment.counter_moves()) for amendment in amendments])


async def move_counters(tx: Tx, moves: Sequence[tuple[RowMapping, Sequence[tuple[int, int]]]]) -> None:
    """Always under what the response was counted under, and last, since these are the rows everybody wants."""
    changes: list[tuple[Any, ...]] = [
        (
            row["workspace_id"], row["campaign_id"], row["survey_version"], row["wave"], row["counted_on"],
            row["channel"], score, json.dumps(row["segments"]), delta,
        )
        for row, counters in moves
        for score, delta in counters
    ]  # fmt: skip
    if changes:
        columns = dict(zip(_COUNTED_UNDER, map(list, zip(*changes, strict=True)), strict=True))
        await tx.execute(_MOVE_COUNTERS, columns)


async def _keep_revisions(tx: Tx, amendments: Sequence[Amendment]) -> None:
    await tx.execute(
        _KEEP_REVISIONS,
        [
            {
                "workspace_id": amendment.original["workspace_id"],
                "response_id": amendment.original["id"],
                "revision": amendment.original["revision"],
                "score": amendment.original["score"],
                "comment": amendment.original["comment"],
                "answers": _json(amendment.original["answers"]),
                "excluded_reason": amendment.original["excluded_reason"],
                "change": amendment.change,
                "actor": amendment.actor,
                "reason": amendment.reason,
                "changed_at": amendment.changed_at,
            }
            for amendment in amendments
        ],
    )


async def _update_responses(tx: Tx, amendments: Sequence[Amendment]) -> None:
    rows = {name: [getattr(amendment, name) for amendment in amendments] for name in _MAY_CHANGE}
    for name in ("answers", "client_sequences"):
        rows[name] = [_json(value) for value in rows[name]]
    await tx.execute(_UPDATE_RESPONSES, {**_keys(amendments), **rows, "at": [a.changed_at for a in amendments]})
    if any(one.original["invitation_id"] and bool(one.comment) != bool(one.original["comment"]) for one in amendments):
        await tx.execute(_NOTE_COMMENTS, _keys(amendments))


async def _announce(tx: Tx, amendments: Sequence[Amendment]) -> None:
    told = {
        "event_id": [new_id(amendment.changed_at) for amendment in amendments if amendment.changed_at],
        "type": [amendment.event_type.value for amendment in amendments],
        "previous_score": [amendment.original["score"] for amendment in amendments],
        "previous_band": [amendment.previous_band for amendment in amendments],
    }
    await tx.execute(_ANNOUNCE, {**_keys(amendments), **told})


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _keys(amendments: Sequence[Amendment]) -> dict[str, list[UUID]]:
    return {
        "workspace_id": [amendment.original["workspace_id"] for amendment in amendments],
        "id": [amendment.original["id"] for amendment in amendments],
    }


_KEEP_REVISIONS = text("""
    INSERT INTO response_revisions (
        workspace_id, response_id, revision, score, comment, answers, excluded_reason, change, actor, reason,
        changed_at
    ) VALUES (
        :workspace_id, :response_id, :revision, :score, :comment, CAST(:answers AS jsonb), :excluded_reason, :change,
        :actor, :reason, :changed_at
    )
""")

_UPDATE_RESPONSES = text(f"""
    UPDATE responses r SET
        score = t.score, comment = t.comment, language = t.language, may_contact = t.may_contact,
        client_sequences = t.client_sequences, certainty = t.certainty, answers = t.answers,
        excluded_at = t.excluded_at, excluded_reason = t.excluded_reason,
        updated_at = t.at, {next_revision("r")}
    FROM unnest(
        CAST(:workspace_id AS uuid[]), CAST(:id AS uuid[]), CAST(:score AS smallint[]), CAST(:comment AS text[]),
        CAST(:language AS text[]), CAST(:may_contact AS boolean[]), CAST(:client_sequences AS jsonb[]),
        CAST(:certainty AS text[]), CAST(:answers AS jsonb[]), CAST(:excluded_at AS timestamptz[]),
        CAST(:excluded_reason AS text[]), CAST(:at AS timestamptz[])
    ) AS t (
        workspace_id, id, score, comment, language, may_contact, client_sequences, certainty, answers, excluded_at,
        excluded_reason, at
    )
    WHERE r.workspace_id = t.workspace_id AND r.id = t.id
""")

_NOTE_COMMENTS = text(f"""
    UPDATE invitations v SET commented_at = CASE WHEN r.comment IS NOT NULL THEN r.updated_at END, {next_revision("v")}
    FROM unnest(CAST(:workspace_id AS uuid[]), CAST(:id AS uuid[])) AS t (workspace_id, id)
    JOIN responses r ON r.workspace_id = t.workspace_id AND r.id = t.id
    WHERE v.workspace_id = r.workspace_id AND v.id = r.invitation_id
        AND (v.commented_at IS NULL) = (r.comment IS NOT NULL)
""")

_PREVIOUS = """'{"score":' || t.previous_score || ',"band":"' || t.previous_band || '"}'"""

_ANNOUNCE = text(f"""
    WITH announced AS (
        INSERT INTO events (
            workspace_id, id, type, campaign_id, recipient_id, response_id, band, previous_band, score, occurred_at,
            revision, body
        )
        SELECT r.workspace_id, t.event_id, t.type, r.campaign_id, r.recipient_id, r.id, {band_sql("r.score")},
            t.previous_band, r.score, r.updated_at, r.revision,
            {body_sql(told_sql("r", "c"), "r", "c", "p", band=band_sql("r.score"), previous=_PREVIOUS)}
        FROM unnest(
            CAST(:workspace_id AS uuid[]), CAST(:id AS uuid[]), CAST(:event_id AS uuid[]), CAST(:type AS text[]),
            CAST(:previous_score AS int[]), CAST(:previous_band AS text[])
        ) AS t (workspace_id, id, event_id, type, previous_score, previous_band)
        JOIN responses r ON r.workspace_id = t.workspace_id AND r.id = t.id
        JOIN campaigns c ON c.workspace_id = r.workspace_id AND c.id = r.campaign_id
        JOIN {METRIC_TABLE} ON m.metric = c.metric
        LEFT JOIN recipients p ON p.workspace_id = r.workspace_id AND p.id = r.recipient_id
        RETURNING workspace_id, id
    ),
    queued AS (INSERT INTO event_queue (workspace_id, event_id) SELECT workspace_id, id FROM announced)
    SELECT pg_notify('{CHANNEL}', '')
""")

_COUNTED_UNDER = (
    "workspace_id", "campaign_id", "survey_version", "wave", "counted_on", "channel", "score", "segments", "delta",
)  # fmt: skip
_MOVE_COUNTERS = text(f"""
    WITH changes AS MATERIALIZED (
        SELECT {", ".join(_COUNTED_UNDER)}
        FROM unnest(
            CAST(:workspace_id AS uuid[]), CAST(:campaign_id AS uuid[]), CAST(:survey_version AS int[]),
            CAST(:wave AS int[]), CAST(:counted_on AS date[]), CAST(:channel AS text[]), CAST(:score AS smallint[]),
            CAST(:segments AS jsonb[]), CAST(:delta AS int[])
        ) AS t ({", ".join(_COUNTED_UNDER)})
    ),
    {rollup_ctes("changes")}
    SELECT 1
""")
