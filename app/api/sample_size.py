"""How many people to ask, before anybody is."""

from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from app.api.dependencies import ScoreReader
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Reply, Request
from app.domain.scores.sample_size import (
    HIGHEST_CONFIDENCE,
    LARGEST_POPULATION,
    LOWEST_CONFIDENCE,
    NARROWEST_MARGIN,
    WIDEST_MARGIN,
    Measure,
    SharesImpossible,
    WantedPrecision,
    explained,
    nps_variance,
    proportion_variance,
    sample_size,
)
from app.domain.scores.scoring import rounded

routes = router("scores")

Percent = Annotated[float, Field(ge=0, le=100)]


class SampleSizeQuery(Request):
    measure: Measure = Field(
        Measure.NPS, description="`proportion` is one share, as survey tables that round up have it; an NPS needs more."
    )
    margin: Annotated[float, Field(ge=NARROWEST_MARGIN, le=WIDEST_MARGIN)] = Field(5, description="± points.")
    confidence: Annotated[float, Field(ge=LOWEST_CONFIDENCE, le=HIGHEST_CONFIDENCE)] = Field(95, description="In %.")
    population: Annotated[int, Field(ge=1, le=LARGEST_POPULATION)] | None = Field(
        None, description="How many people there are. Endlessly many, if left out.", examples=[1000]
    )
    response_rate: Annotated[float, Field(ge=0.1, le=100)] | None = Field(
        None, description="How many of 100 people asked will answer. Needed to count invitations.", examples=[20]
    )
    promoters: Percent | None = Field(
        None, description="In %, expected, with `detractors`. The worst case, half and half, if left out."
    )
    detractors: Percent | None = Field(None, description="In %, expected, with `promoters`.")
    share: Percent | None = Field(None, description="In %, expected, of a proportion. The worst case, 50, if left out.")

    def variance(self) -> float:
        """Raises SharesImpossible."""
        if self.measure is Measure.PROPORTION:
            if self.promoters is not None or self.detractors is not None:
                raise SharesImpossible("Promoters and detractors are of an NPS; give `share`.", pointer="/promoters")
            return proportion_variance(self.share)
        if self.share is not None:
            raise SharesImpossible("A share is of a proportion; give `promoters` and `detractors`.", pointer="/share")
        return nps_variance(promoters=self.promoters, detractors=self.detractors)

    def precision(self) -> WantedPrecision:
        return WantedPrecision(self.margin, self.confidence, self.population, self.response_rate)


class SampleSizeReply(Reply):
    measure: Measure
    margin: float
    confidence: float
    population: int | None
    answers: int = Field(description="That are needed, rounded up.", examples=[607])
    invitations: int | None = Field(
        description="To send for so many answers; everybody where that is not enough. null without a response rate.",
        examples=[1000],
    )
    is_within_reach: bool = Field(description="false: even everybody's expected answers are too few.", examples=[False])
    margin_within_reach: float | None = Field(
        description="± points that the expected answers of everybody give, where the margin is not within reach.",
        examples=[6.2],
    )
    explanation: str = Field(description="Why so many, beside what survey tables say.")

    @classmethod
    def of(cls, query: SampleSizeQuery) -> Self:
        """Raises SharesImpossible."""
        wanted, variance = query.precision(), query.variance()
        found = sample_size(wanted, variance=variance)
        return cls(
            measure=query.measure,
            margin=query.margin,
            confidence=query.confidence,
            population=query.population,
            answers=found.answers,
            invitations=found.invitations,
            is_within_reach=found.is_within_reach,
            margin_within_reach=rounded(found.margin_within_reach),
            explanation=explained(wanted, query.measure, variance=variance),
        )


@routes.get("/v1/sample-size", summary="Plan a sample", responses=refuses(SharesImpossible))
async def get_sample_size(_: ScoreReader, query: Annotated[SampleSizeQuery, Query()]) -> SampleSizeReply:
    """How many answers a score needs for a margin of error, and how many people to ask for them. A small population
    needs fewer than an endless one: the finite-population correction of Cochran (1977)."""
    return SampleSizeReply.of(query)
