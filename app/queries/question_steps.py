"""How far people came through the further questions, read from the responses to a campaign's invitations."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from app.db.engine import ReadTx, Tx
from app.domain.scores.metric import METRICS
from app.domain.survey.question_steps import QuestionCounts, QuestionSteps
from app.domain.survey.questions import Question, QuestionKind
from app.queries.funnel_groups import GroupKey, GroupSql


async def count_question_steps(
    tx: ReadTx, place: Mapping[str, Any], by: GroupSql, *, metric: str
) -> dict[GroupKey, list[QuestionSteps]]:
    """`place`: workspace_id and campaign_id. Groups without any response are left out."""
    versions = await read_questions(tx, place)
    if not versions:
        return {}
    texts = [one.id for asked in versions.values() for one in asked if one.kind is QuestionKind.TEXT]
    statement = text(_ANSWERS.format(key=by.key, joined=by.joined))
    rows = await tx.execute(statement, {**place, "versions": list(versions), "texts": texts})
    counts: dict[GroupKey, QuestionCounts] = {}
    for group, version, score, answers, people in rows:
        if group not in counts:
            counts[group] = QuestionCounts(versions, METRICS[metric])
        counts[group].add(version, score, answers, people)
    return {group: counted.steps() for group, counted in counts.items()}


async def read_questions(tx: ReadTx | Tx, place: Mapping[str, Any]) -> dict[int, Sequence[Question]]:
    """By version, of those with questions. `place`: workspace_id and campaign_id."""
    return {
        version: [Question.from_json(question) for question in questions]
        for version, questions in await tx.execute(_VERSIONS, place)
    }


_VERSIONS = text("""
    SELECT v.version, v.content -> 'questions' FROM survey_versions v
    WHERE v.workspace_id = :workspace_id AND v.campaign_id = :campaign_id
        AND jsonb_array_length(coalesce(v.content -> 'questions', '[]')) > 0
""")
# What somebody wrote decides nothing, so people who wrote different things are counted together.
_ANSWERS = """
    SELECT {key} AS grouped_by, r.survey_version, r.score, (
        SELECT coalesce(jsonb_object_agg(
            a.key, CASE WHEN a.key = ANY(CAST(:texts AS text[])) THEN '""' ELSE a.value END
        ) FILTER (WHERE a.value <> 'null'), '{{}}')
        FROM jsonb_each(coalesce(r.answers, '{{}}')) a
    ) AS answers, count(*)::int AS people
    FROM invitations v JOIN responses r ON r.workspace_id = v.workspace_id AND r.id = v.response_id {joined}
    WHERE v.workspace_id = :workspace_id AND v.campaign_id = :campaign_id AND r.excluded_at IS NULL
        AND r.survey_version = ANY(CAST(:versions AS int[]))
    GROUP BY 1, 2, 3, 4
"""
