"""Answers to one further question, counted from the responses themselves.

The cost grows with the responses of the campaign in the period. Nothing is counted ahead, because questions come and go
with each version of a survey, and are looked at far less often than the score. What somebody answered on a way that
their score or other answers have since left is not counted, as in the funnel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.engine import ReadTx
from app.domain.scores.metric import METRICS
from app.domain.scores.period import zone_named
from app.domain.scores.span import Span
from app.domain.survey.question_results import QuestionNotFound, QuestionResults, results_of, withhold_small_groups
from app.domain.survey.questions import Question, QuestionKind, deciding
from app.queries.campaigns import get_campaign
from app.queries.question_steps import read_questions
from app.queries.scores import Said
from app.queries.workspaces import get_workspace


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """Which answers to which question. Bounds as of scores; `channels` empty: all."""

    campaign_id: UUID
    question_id: str
    from_: Said = None
    until: Said = None
    channels: tuple[str, ...] = ()

    @property
    def is_of_a_part(self) -> bool:
        return bool(self.channels) or self.from_ is not None or self.until is not None


async def question_results(tx: ReadTx, workspace_id: UUID, asked: QuestionAsked) -> tuple[QuestionResults, Span]:
    """Raises CampaignNotFound, QuestionNotFound, PeriodEmpty, PeriodOutOfRange."""
    campaign = await get_campaign(tx, workspace_id, asked.campaign_id)
    versions = await read_questions(tx, {"workspace_id": workspace_id, "campaign_id": asked.campaign_id})
    question = _latest_wording(versions, asked.question_id)
    workspace = await get_workspace(tx, workspace_id)
    span = Span.of(asked.from_, asked.until, zone=zone_named(workspace["time_zone"]))
    rows = (await tx.execute(_COUNT, _parameters(workspace_id, asked, versions, span))).all()
    results = results_of(question, rows, versions=versions, metric=METRICS[campaign["metric"]])
    if not campaign["is_anonymous"]:
        return results, span
    return withhold_small_groups(results, is_part=asked.is_of_a_part), span


def _latest_wording(versions: Mapping[int, Sequence[Question]], question_id: str) -> Question:
    """As the newest version that has it asks it."""
    newest_first = (question for version in sorted(versions, reverse=True) for question in versions[version])
    found = next((question for question in newest_first if question.id == question_id), None)
    if found is None:
        raise QuestionNotFound("No version of the campaign's survey has a question with this id.")
    return found


def _parameters(
    workspace_id: UUID, asked: QuestionAsked, versions: Mapping[int, Sequence[Question]], span: Span
) -> dict[str, Any]:
    from_on, until_on = span.outer_days
    known = [question for questions in versions.values() for question in questions]
    return {
        "workspace_id": workspace_id,
        "campaign_id": asked.campaign_id,
        "needed": sorted(deciding(known, asked.question_id)),
        "texts": [question.id for question in known if question.kind is QuestionKind.TEXT],
        "channels": list(asked.channels) or None,
        "from_on": from_on,
        "until_on": until_on,
        "from_at": span.start.instant if span.start and not span.start.is_midnight else None,
        "until_at": span.end.instant if span.end and not span.end.is_midnight else None,
    }


# What somebody wrote decides nothing, and neither do answers to questions that lead elsewhere: few groups are left.
_COUNT = text("""
    SELECT r.survey_version AS version, r.score, (
        SELECT coalesce(jsonb_object_agg(
            a.key, CASE WHEN a.key = ANY(CAST(:texts AS text[])) THEN '""' ELSE a.value END
        ) FILTER (WHERE a.value <> 'null'), '{}')
        FROM jsonb_each(r.answers) a WHERE a.key = ANY(CAST(:needed AS text[]))
    ) AS answers, count(*) AS people
    FROM responses r
    WHERE r.workspace_id = :workspace_id AND r.campaign_id = :campaign_id AND r.excluded_at IS NULL
        AND (CAST(:from_on AS date) IS NULL OR r.counted_on >= :from_on)
        AND (CAST(:until_on AS date) IS NULL OR r.counted_on < :until_on)
        AND (CAST(:from_at AS timestamptz) IS NULL OR r.answered_at >= :from_at)
        AND (CAST(:until_at AS timestamptz) IS NULL OR r.answered_at < :until_at)
        AND (CAST(:channels AS text[]) IS NULL OR r.channel = ANY(:channels))
    GROUP BY 1, 2, 3
""")
