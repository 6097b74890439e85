"""Answers to one further question, counted from the responses themselves.

The cost grows with the responses of the campaign in the period. Nothing is counted ahead, because questions come and go
with each version of a survey, and are looked at far less often than the score.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.db.engine import ReadTx
from app.domain.scores.metric import METRICS
from app.domain.scores.period import zone_named
from app.domain.scores.question_results import QuestionNotFound, QuestionResults, results_of, withhold_small_groups
from app.domain.scores.span import Span
from app.domain.survey.questions import Question, QuestionKind
from app.queries.campaigns import get_campaign
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
    question = await _latest_wording(tx, workspace_id, asked)
    workspace = await get_workspace(tx, workspace_id)
    span = Span.of(asked.from_, asked.until, zone=zone_named(workspace["time_zone"]))
    rows = (await tx.execute(_COUNT, _parameters(workspace_id, asked, question, span))).all()
    response_count = sum(row.responses for row in rows if row.part == "responses")
    answers = [(row.value, row.score, row.responses) for row in rows if row.part == "answers"]
    results = results_of(question, answers, metric=METRICS[campaign["metric"]], response_count=response_count)
    if not campaign["is_anonymous"]:
        return results, span
    return withhold_small_groups(results, is_part=asked.is_of_a_part), span


async def _latest_wording(tx: ReadTx, workspace_id: UUID, asked: QuestionAsked) -> Question:
    """As the newest version that has it asks it."""
    place = {"workspace_id": workspace_id, "campaign_id": asked.campaign_id, "question_id": asked.question_id}
    content = (await tx.execute(_LATEST_WORDING, place)).scalars().first()
    if content is None:
        raise QuestionNotFound("No version of the campaign's survey has a question with this id.")
    return Question.from_json(content)


def _parameters(workspace_id: UUID, asked: QuestionAsked, question: Question, span: Span) -> dict[str, object]:
    from_on, until_on = span.outer_days
    return {
        "workspace_id": workspace_id,
        "campaign_id": asked.campaign_id,
        "question_id": asked.question_id,
        "is_closed": question.kind is not QuestionKind.TEXT,
        "channels": list(asked.channels) or None,
        "from_on": from_on,
        "until_on": until_on,
        "from_at": span.start.instant if span.start and not span.start.is_midnight else None,
        "until_at": span.end.instant if span.end and not span.end.is_midnight else None,
    }


_LATEST_WORDING = text("""
    SELECT question FROM survey_versions v, jsonb_array_elements(v.content -> 'questions') AS question
    WHERE v.workspace_id = :workspace_id AND v.campaign_id = :campaign_id AND question ->> 'id' = :question_id
    ORDER BY v.version DESC LIMIT 1
""")
_COUNT = text("""
    WITH counted AS MATERIALIZED (
        SELECT r.score, r.answers -> CAST(:question_id AS text) AS answer FROM responses r
        WHERE r.workspace_id = :workspace_id AND r.campaign_id = :campaign_id AND r.excluded_at IS NULL
            AND (CAST(:from_on AS date) IS NULL OR r.counted_on >= :from_on)
            AND (CAST(:until_on AS date) IS NULL OR r.counted_on < :until_on)
            AND (CAST(:from_at AS timestamptz) IS NULL OR r.answered_at >= :from_at)
            AND (CAST(:until_at AS timestamptz) IS NULL OR r.answered_at < :until_at)
            AND (CAST(:channels AS text[]) IS NULL OR r.channel = ANY(:channels))
    )
    SELECT 'responses' AS part, NULL AS value, NULL AS score, count(*) AS responses FROM counted
    UNION ALL
    SELECT 'answers', NULL, score, count(*) FROM counted WHERE answer IS NOT NULL GROUP BY score
    UNION ALL
    SELECT 'answers', said.value, score, count(*)
    FROM counted, jsonb_array_elements_text(
        CASE jsonb_typeof(answer) WHEN 'array' THEN answer ELSE jsonb_build_array(answer) END
    ) AS said (value)
    WHERE answer IS NOT NULL AND CAST(:is_closed AS boolean)
    GROUP BY said.value, score
""")
