"""How far invitations came, counted from themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Text, TextClause, text

from app.db.engine import ReadTx
from app.domain.scores.funnel import Aside, Funnel, Step
from app.domain.scores.grouping import check_tracked
from app.domain.scores.minimum_group import Withheld, too_telling
from app.domain.scores.period import MOST_BUCKETS, TooManyBuckets
from app.domain.scores.segment import PropertySource
from app.domain.survey.question_steps import QuestionSteps, added
from app.queries.campaigns import get_campaign
from app.queries.funnel_groups import GROUPED_BY, TOGETHER, FunnelGroups, GroupKey, GroupSql, in_order
from app.queries.question_steps import count_question_steps


@dataclass(frozen=True, slots=True)
class FunnelPart:
    key: GroupKey
    funnel: Funnel
    questions: list[QuestionSteps]
    withheld: Withheld | None = None  # then only the whole, which it is added to, is told
    is_anonymous: bool = False  # nobody notes who opened a page or wrote a comment

    def __add__(self, other: "FunnelPart") -> "FunnelPart":
        is_anonymous = self.is_anonymous or other.is_anonymous
        questions = added(self.questions, other.questions)
        return FunnelPart(None, self.funnel + other.funnel, questions, is_anonymous=is_anonymous)


async def read_funnel(
    tx: ReadTx, workspace_id: UUID, campaign_id: UUID, groups: FunnelGroups | None
) -> tuple[FunnelPart, list[FunnelPart]]:
    """The whole, and its groups in order, which add up to it; without `groups` there is at most one.

    Raises CampaignNotFound, PropertyNotTracked, PropertyNotReady, TooManyBuckets.
    """
    campaign = await get_campaign(tx, workspace_id, campaign_id)
    place: dict[str, Any] = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    if groups is not None and groups.property_key is not None:
        place["property_key"] = groups.property_key
        check_tracked(groups.property_key, state=await _state_of(tx, place))
    by = GROUPED_BY[groups.grouping] if groups else TOGETHER
    found = await _count(tx, place, by)
    if len(found) > MOST_BUCKETS:
        raise TooManyBuckets(f"There are {len(found)} groups; at most {MOST_BUCKETS} are given at once.")
    questions = await count_question_steps(tx, place, by, metric=campaign["metric"])
    is_anonymous = campaign["is_anonymous"]
    parts = [
        FunnelPart(key, found[key], questions.get(key, []), is_anonymous=is_anonymous)
        for key in sorted(found, key=in_order)
    ]
    whole = sum(parts, start=FunnelPart(None, Funnel(), [], is_anonymous=is_anonymous))
    return whole, parts if groups is None or not is_anonymous else _withheld(parts)


def _withheld(parts: Sequence[FunnelPart]) -> list[FunnelPart]:
    telling = too_telling({part.key: part.funnel.counts[Step.ANSWERED] for part in parts})
    return [replace(part, withheld=Withheld.MINIMUM_GROUP) if part.key in telling else part for part in parts]


async def _state_of(tx: ReadTx, place: Mapping[str, Any]) -> str | None:
    return (await tx.execute(_TRACKED, place)).scalar_one_or_none()


async def _count(tx: ReadTx, place: Mapping[str, Any], by: GroupSql) -> dict[GroupKey, Funnel]:
    rows = (await tx.execute(_statement(_COUNTS, by), place)).mappings().all()
    skips = (await tx.execute(_statement(_SKIPPED, by), place)).all()
    skipped: dict[GroupKey, Counter[str]] = {}
    for group, reason, invitations in skips:
        skipped.setdefault(group, Counter())[reason] = invitations
    return {row["grouped_by"]: _funnel(row, skipped.get(row["grouped_by"], Counter())) for row in rows}


def _funnel(row: Mapping[Any, Any], skipped: Counter[str]) -> Funnel:
    return Funnel(Counter({name: row[name] for name in (*Step, *Aside)}), skipped, row["answered_of_sent"])


def _statement(counted: str, by: GroupSql) -> TextClause:
    return text(counted.format(key=by.key, joined=by.joined))


# Whatever was mailed for certain; of `unknown` nobody knows.
_SENT = "v.asked_at IS NOT NULL AND v.state NOT IN ('sending', 'unknown', 'failed')"
# Of an anonymous campaign there is no way from the invitation to the response; elsewhere it may have been deleted.
_COUNTS_AS_ANSWERED = """
    v.answered_at IS NOT NULL AND (v.response_id IS NULL OR (r.id IS NOT NULL AND r.excluded_at IS NULL))
"""
_COUNTED: Mapping[str, str] = {
    Step.PLANNED: "true",
    Step.SENT: _SENT,
    Step.DELIVERED: f"v.delivered_at IS NOT NULL AND {_SENT}",
    Step.PAGE_OPENED: f"v.page_opened_at IS NOT NULL OR ({_COUNTS_AS_ANSWERED})",
    Step.ANSWERED: _COUNTS_AS_ANSWERED,
    Step.COMMENTED: f"v.commented_at IS NOT NULL AND {_COUNTS_AS_ANSWERED}",
    "answered_of_sent": f"{_COUNTS_AS_ANSWERED} AND {_SENT}",
    Aside.WAITING: "v.state IN ('planned', 'sending')",
    Aside.REMINDED: "v.reminder_count > 0",
    Aside.BOUNCED: "v.bounced_at IS NOT NULL",
    Aside.COMPLAINED: "v.complained_at IS NOT NULL",
    Aside.UNSUBSCRIBED: "v.unsubscribed_at IS NOT NULL",
    Aside.EXPIRED: "v.state = 'expired'",
    Aside.RELEASED: "v.state = 'released'",
    Aside.FAILED: "v.state = 'failed'",
    Aside.UNKNOWN: "v.state = 'unknown'",
    Aside.FLAGGED: "v.flagged_at IS NOT NULL",
}
_COUNTS = f"""
    SELECT {{key}} AS grouped_by, coalesce(sum(v.scanner_hits), 0)::int AS {Aside.SCANNER_HITS},
        {", ".join(f"(count(*) FILTER (WHERE {condition}))::int AS {name}" for name, condition in _COUNTED.items())}
    FROM invitations v LEFT JOIN responses r ON r.workspace_id = v.workspace_id AND r.id = v.response_id {{joined}}
    WHERE v.workspace_id = :workspace_id AND v.campaign_id = :campaign_id GROUP BY 1
"""
_SKIPPED = """
    SELECT {key} AS grouped_by, v.skip_reason, count(*)::int AS invitations FROM invitations v {joined}
    WHERE v.workspace_id = :workspace_id AND v.campaign_id = :campaign_id AND v.state = 'skipped' GROUP BY 1, 2
"""
_TRACKED = text(
    "SELECT state FROM tracked_properties WHERE workspace_id = :workspace_id AND key = :property_key"
    f" AND source = '{PropertySource.RECIPIENT}'"
).columns(state=Text)
