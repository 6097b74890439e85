"""What a score looks like."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import Field

from app.api.schemas import CampaignId, Instant, Reply
from app.domain import ids
from app.domain.scores.comparison import Change, Verdict
from app.domain.scores.metric import Band, Metric, MetricKey
from app.domain.scores.minimum_group import Withheld
from app.domain.scores.scoring import Histogram, Interval, percentages, rounded, score_of
from app.domain.scores.span import Span
from app.queries.scores import Comparison, Group, ScoreAnswer, ScoreQuestion


class ScoreInterval(Reply):
    """Where the true score lies, with this level of confidence."""

    low: float
    high: float
    level: float = Field(examples=[0.95])
    method: str = Field(examples=["adjusted_wald"])

    @classmethod
    def of(cls, interval: Interval | None) -> Self | None:
        if interval is None:
            return None
        low, high = rounded(interval.low) or 0.0, rounded(interval.high) or 0.0
        return cls(low=low, high=high, level=interval.level, method=interval.method)


class ScoreReply(Reply):
    """A score and everything it rests on. Never shown without its n."""

    value: float | None = Field(description="In the metric's points; null without answers.", examples=[42.5])
    n: int | None = Field(description="How many answers.", examples=[120])
    margin_of_error: float | None = Field(description="± points; null where the answers cannot tell.")
    interval: ScoreInterval | None
    counts: dict[Band, int] | None = Field(description="Answers in each band.")
    percentages: dict[Band, float] | None = Field(description="With one decimal; they add up to 100.0.")
    distribution: dict[str, int] | None = Field(description="Answers of each raw score of the metric's scale.")
    withheld: Withheld | None = Field(
        None,
        description="Why all of the above is null: part of an anonymous campaign has fewer than five answers, this one "
        "or one that it would tell of.",
    )

    @classmethod
    def of(cls, histogram: Histogram, metric: Metric, level: float, withheld: Withheld | None = None) -> Self:
        if withheld:
            return cls.model_validate({**dict.fromkeys(cls.model_fields), "withheld": withheld})
        score = score_of(histogram, metric=metric, level=level)
        return cls(
            value=rounded(score.value),
            n=score.n,
            margin_of_error=rounded(score.margin_of_error),
            interval=ScoreInterval.of(score.interval),
            counts=dict(score.bands),
            percentages=dict(zip(score.bands, percentages(list(score.bands.values())), strict=True)),
            distribution={str(raw): histogram.counts[raw] for raw in metric.scores},
        )


class ScorePeriod(Reply):
    """Half-open, as days of the workspace and as instants; null where there is no bound."""

    time_zone: str = Field(examples=["Europe/Berlin"])
    from_on: date | None
    until_on: date | None = Field(description="The first day after.")
    from_at: Instant | None
    until_at: Instant | None

    @classmethod
    def of(cls, span: Span) -> Self:
        start, end = span.start, span.end
        return cls(
            time_zone=span.zone.key,
            from_on=start and start.day,
            until_on=end and end.first_day_after,
            from_at=start and start.instant,
            until_at=end and end.instant,
        )


class ScoreChange(Reply):
    points: float | None = Field(description="After minus before; null where one side has no answers.")
    interval: ScoreInterval | None
    p_value: float | None = Field(description="How likely a change at least this large is by chance.")
    is_significant: bool | None = Field(description="null where there are too few answers to tell.")
    verdict: Verdict
    words: str = Field(examples=["Up, and unlikely to be chance"])

    @classmethod
    def of(cls, change: Change) -> Self:
        return cls(
            points=rounded(change.difference),
            interval=ScoreInterval.of(change.interval),
            p_value=rounded(change.p_value, places=4),
            is_significant=change.is_significant,
            verdict=change.verdict,
            words=change.verdict.words,
        )


class ScoreComparison(Reply):
    period: ScorePeriod
    score: ScoreReply
    change: ScoreChange | None = Field(description="null where one of the two is withheld.")

    @classmethod
    def of(cls, comparison: Comparison, metric: Metric, level: float) -> Self:
        return cls(
            period=ScorePeriod.of(comparison.span),
            score=ScoreReply.of(comparison.histogram, metric, level, comparison.withheld),
            change=comparison.change and ScoreChange.of(comparison.change),
        )


class ScoreBucket(Reply):
    from_on: date = Field(description="The part of it that was asked for begins here.")
    until_on: date
    is_whole: bool = Field(description="Whether all of it was asked for.")


class ScoreGroup(Reply):
    key: str | None = Field(
        description="The first day of a week, month, …; else a channel, a survey version, a campaign's id, a variant "
        "or a property's value, null for the answers without a value.",
        examples=["2026-11-01"],
    )
    bucket: ScoreBucket | None = Field(None, description="Of groups in time.")
    score: ScoreReply
    change: ScoreChange | None = Field(
        None,
        description="From the `baseline` to this group. p-values and verdicts take into account how many groups are "
        "compared (Holm 1979); intervals are those of each difference alone.",
    )

    @classmethod
    def of(cls, group: Group, metric: Metric, level: float) -> Self:
        part = group.bucket
        return cls(
            key=_shown(group.key),
            bucket=part and ScoreBucket(
                from_on=part.period.from_on, until_on=part.period.until_on, is_whole=part.is_whole
            ),
            score=ScoreReply.of(group.histogram, metric, level, group.withheld),
            change=group.change and ScoreChange.of(group.change),
        )  # fmt: skip


class ScoresReply(Reply):
    metric: MetricKey
    campaign_ids: list[CampaignId] | None = Field(description="null: every campaign with this metric.")
    period: ScorePeriod
    score: ScoreReply
    comparison: ScoreComparison | None = Field(description="Of all the answers with those of another period.")
    groups: list[ScoreGroup] | None = Field(description="Groups in time include those without answers.")
    baseline: str | None = Field(None, description="The group that the others are compared with.", examples=["a"])

    @classmethod
    def of(cls, answer: ScoreAnswer, question: ScoreQuestion) -> Self:
        metric, level = answer.metric, question.level
        return cls(
            metric=metric.key,
            campaign_ids=list(question.campaign_ids) or None,
            period=ScorePeriod.of(answer.span),
            score=ScoreReply.of(answer.histogram, metric, level, answer.withheld),
            comparison=answer.comparison and ScoreComparison.of(answer.comparison, metric, level),
            groups=answer.groups
            if answer.groups is None
            else [ScoreGroup.of(group, metric, level) for group in answer.groups],
            baseline=answer.baseline,
        )


def _shown(key: object) -> str | None:
    match key:
        case None:
            return None
        case UUID():
            return ids.shown("campaign", key)
        case _:
            return str(key)
