"""Answers to one further question, counted from the responses themselves.

The cost grows with the responses of the campaign in the period: half a million take about half a second. Nothing is
counted ahead, because questions come and go with each version of a survey, and are looked at far less often than the
score. What somebody answered on a way that their score or other answers have since left is not counted, as in the
funnel.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

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
    rows = await _count(tx, workspace_id, asked, versions, span)
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


async def _count(
    tx: ReadTx, workspace_id: UUID, asked: QuestionAsked, versions: Mapping[int, Sequence[Question]], span: Span
) -> list[tuple[int, int, dict[str, Any], int]]:
    """(survey version, score, answers that matter, how many people)."""
    known = [question for questions in versions.values() for question in questions]
    needed = sorted(deciding(known, asked.question_id))
    texts = {question.id for question in known if question.kind is QuestionKind.TEXT}
    keys = {f"key_{place}": key for place, key in enumerate(needed)}
    found = await tx.execute(count_of(needed, texts), {**_parameters(workspace_id, asked, span), **keys})
    return [(row.version, row.score, _given(zip(needed, row.answers, strict=True)), row.people) for row in found]


def _given(answers: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {key: answer for key, answer in answers if answer is not None}


def _parameters(workspace_id: UUID, asked: QuestionAsked, span: Span) -> dict[str, Any]:
    from_on, until_on = span.outer_days
    return {
        "workspace_id": workspace_id,
        "campaign_id": asked.campaign_id,
        "channels": list(asked.channels) or None,
        "from_on": from_on,
        "until_on": until_on,
        "from_at": span.start.instant if span.start and not span.start.is_midnight else None,
        "until_at": span.end.instant if span.end and not span.end.is_midnight else None,
    }


def count_of(needed: Sequence[str], texts: Collection[str]) -> TextClause:
    """What somebody wrote decides nothing, nor do answers to questions that lead elsewhere: few groups are left.

    `needed`: keys, bound as `key_0` and so on. A subquery for each response would take four times as long in all.
    """
    answers = [_IF_WRITTEN if key in texts else _ANSWER for key in needed]
    return text(_COUNT.format(answers=", ".join(one.format(place=place) for place, one in enumerate(answers))))


_ANSWER = "r.answers -> CAST(:key_{place} AS text)"
_IF_WRITTEN = f"CASE WHEN {_ANSWER} <> 'null' THEN CAST('\"\"' AS jsonb) END"
_COUNT = """
    SELECT r.survey_version AS version, r.score, ARRAY[{answers}] AS answers, count(*) AS people
    FROM responses r
    WHERE r.workspace_id = :workspace_id AND r.campaign_id = :campaign_id AND r.excluded_at IS NULL
        AND (CAST(:from_on AS date) IS NULL OR r.counted_on >= :from_on)
        AND (CAST(:until_on AS date) IS NULL OR r.counted_on < :until_on)
        AND (CAST(:from_at AS timestamptz) IS NULL OR r.answered_at >= :from_at)
        AND (CAST(:until_at AS timestamptz) IS NULL OR r.answered_at < :until_at)
        AND (CAST(:channels AS text[]) IS NULL OR r.channel = ANY(:channels))
    GROUP BY 1, 2, 3
"""
