"""How far a campaign's invitations came."""

from typing import Annotated, Any, Self

from fastapi import Query
from pydantic import AfterValidator, Field, WithJsonSchema

from app.api.dependencies import CampaignReader, ReadTx
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import CampaignId, Reply
from app.domain.campaign import CampaignNotFound
from app.domain.scores.funnel import Aside, Funnel, Step
from app.domain.scores.grouping import PropertyNotReady, PropertyNotTracked
from app.domain.scores.minimum_group import Withheld
from app.domain.scores.period import TooManyBuckets
from app.domain.scores.scoring import Interval, rounded
from app.domain.scores.segment import PROPERTY_KEY
from app.domain.survey.question_steps import QuestionSteps
from app.queries.funnel_groups import FunnelGrouping, FunnelGroups
from app.queries.funnels import FunnelPart, read_funnel

routes = router("campaigns")
PLAIN = [grouping.value for grouping in FunnelGrouping if grouping is not FunnelGrouping.PROPERTY]


class ResponseRate(Reply):
    """Answers per hundred invitations sent, and between what the true rate lies."""

    value: float = Field(examples=[23.5])
    low: float
    high: float
    level: float = Field(examples=[0.95])
    method: str = Field(examples=["wilson"])

    @classmethod
    def of(cls, funnel: Funnel) -> Self | None:
        interval: Interval | None = funnel.response_rate
        if interval is None:
            return None
        value, low, high = (rounded(each) or 0.0 for each in (funnel.share, interval.low, interval.high))
        return cls(value=value, low=low, high=high, level=interval.level, method=interval.method)


class QuestionFunnel(Reply):
    """Of people who answered an invitation; those whom its conditions do not fit never reach a question."""

    id: str = Field(examples=["why"])
    reached: int
    answered: int
    passed_over: int = Field(description="Not answered, but a later question was.")
    left: int = Field(description="The first after the last one they answered.")

    @classmethod
    def of(cls, steps: QuestionSteps) -> Self:
        return cls(
            id=steps.question_id,
            reached=steps.reached,
            answered=steps.answered,
            passed_over=steps.passed_over,
            left=steps.left,
        )


class FunnelSteps(Reply):
    planned: int = Field(description="All there are, whatever became of them.")
    sent: int = Field(description="Mailed for certain.")
    delivered: int | None = Field(description="null: nothing that delivers these mails has told of any.")
    page_opened: int | None = Field(
        description="By a person; whoever answered did. null in anonymous campaigns.", examples=[1]
    )
    answered: int = Field(description="Whose response counts: not a scanner's, and none that is excluded.")
    commented: int | None = Field(description="null in anonymous campaigns.", examples=[1])
    response_rate: ResponseRate | None = Field(description="null when nothing was sent.")
    waiting: int = Field(description="Not sent yet.")
    reminded: int
    bounced: int
    complained: int
    unsubscribed: int
    expired: int
    released: int = Field(description="No longer wanted: enough is known, or the campaign is over.")
    failed: int
    unknown: int = Field(description="The sender died at it; perhaps it was sent.")
    skipped: dict[str, int] = Field(description="Never asked, by the reason.", examples=[{"quarantine": 12}])
    flagged: int = Field(description="Opened by something that looked like a scanner; apart from the steps above.")
    scanner_hits: int = Field(description="How often.")
    questions: list[QuestionFunnel] = Field(description="The further ones, in order. None in anonymous campaigns.")

    @classmethod
    def of(cls, part: FunnelPart, *, tells_deliveries: bool) -> Self:
        funnel = part.funnel
        counts: dict[str, Any] = {name.value: funnel.counts[name] for name in (*Step, *Aside)}
        if not tells_deliveries:
            counts[Step.DELIVERED] = None
        if part.is_anonymous:
            counts |= dict.fromkeys((Step.PAGE_OPENED, Step.COMMENTED))
        return cls(
            **counts,
            response_rate=ResponseRate.of(funnel),
            skipped=dict(funnel.skipped),
            questions=[QuestionFunnel.of(steps) for steps in part.questions],
        )


class FunnelGroup(Reply):
    key: str | None = Field(
        description="A wave's number, a channel, a variant, or a value of the property; null: none.", examples=["1"]
    )
    steps: FunnelSteps | None = Field(description="null where they are withheld.")
    withheld: Withheld | None = Field(
        None,
        description="Fewer than five of an anonymous campaign answered, in this group or in one that it would tell of.",
    )

    @classmethod
    def of(cls, part: FunnelPart, *, tells_deliveries: bool) -> Self:
        return cls(
            key=None if part.key is None else str(part.key),
            steps=None if part.withheld else FunnelSteps.of(part, tells_deliveries=tells_deliveries),
            withheld=part.withheld,
        )


class FunnelReply(Reply):
    campaign_id: CampaignId
    steps: FunnelSteps
    groups: list[FunnelGroup] | None


def _groups(said: str) -> FunnelGroups:
    kind, _, key = said.partition(":")
    if said in PLAIN:
        return FunnelGroups(FunnelGrouping(said))
    if kind != FunnelGrouping.PROPERTY or not PROPERTY_KEY.fullmatch(key):
        raise ValueError(f"should be {', '.join(PLAIN)} or property:<key>")
    return FunnelGroups(FunnelGrouping.PROPERTY, key)


GROUP_BY = {"type": "string", "pattern": f"^({'|'.join(PLAIN)}|property:{PROPERTY_KEY.pattern})$"}


@routes.get(
    "/v1/campaigns/{campaign_id}/funnel",
    summary="Read how far a campaign's invitations came",
    responses=refuses(CampaignNotFound, PropertyNotReady, PropertyNotTracked, TooManyBuckets),
)
async def get_funnel(
    campaign_id: CampaignId,
    caller: CampaignReader,
    tx: ReadTx,
    group_by: Annotated[
        Annotated[str, AfterValidator(lambda said: _groups(said) and said), WithJsonSchema(GROUP_BY)] | None,
        Query(description="wave, channel, variant or property:<key>, a tracked one of recipients as it is today."),
    ] = None,
) -> FunnelReply:
    """Counted from the invitations themselves. A reminder is part of the invitation it reminds of."""
    groups = None if group_by is None else _groups(group_by)
    whole, parts = await read_funnel(tx, caller.workspace_id, campaign_id, groups)
    tells = whole.funnel.counts[Step.DELIVERED] > 0 or whole.funnel.counts[Step.SENT] == 0
    return FunnelReply(
        campaign_id=campaign_id,
        steps=FunnelSteps.of(whole, tells_deliveries=tells),
        groups=None if group_by is None else [FunnelGroup.of(part, tells_deliveries=tells) for part in parts],
    )
