"""A metric is its scale, its bands and its formula, all three kept here and nowhere else.

Bands carry Net Promoter's names for every metric, so that filters, follow-ups and webhooks need one vocabulary:
promoter is the top band, passive the middle, detractor the bottom. Thumbs have no middle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.domain.errors import RuleViolation


class ScoreOutOfRange(RuleViolation):
    """The score is outside the metric's scale."""

    code = "score_out_of_range"


class MetricKey(StrEnum):
    NPS = "nps"
    CSAT = "csat"
    CES = "ces"
    STARS = "stars"
    THUMBS = "thumbs"


class Band(StrEnum):
    """Best first, the order in which they are shown."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


class Formula(StrEnum):
    NET = "net"  # % promoters − % detractors
    SHARE = "share"  # % promoters
    MEAN = "mean"  # the average score


@dataclass(frozen=True, slots=True)
class Metric:
    key: MetricKey
    name: str
    lowest: int
    highest: int
    passive_from: int
    promoter_from: int
    formula: Formula

    @property
    def floor(self) -> int:
        """The lowest value the metric can take, in its points."""
        return {Formula.NET: -100, Formula.SHARE: 0, Formula.MEAN: self.lowest}[self.formula]

    @property
    def ceiling(self) -> int:
        return self.highest if self.formula is Formula.MEAN else 100

    @property
    def scores(self) -> range:
        return range(self.lowest, self.highest + 1)

    def band_for(self, score: int) -> Band:
        """Raises ScoreOutOfRange."""
        if score not in self.scores:
            detail = f"A {self.name} score is a whole number from {self.lowest} to {self.highest}."
            raise ScoreOutOfRange(detail, pointer="/score", lowest=self.lowest, highest=self.highest)
        if score >= self.promoter_from:
            return Band.PROMOTER
        return Band.PASSIVE if score >= self.passive_from else Band.DETRACTOR

    def scores_by_band(self) -> dict[Band, tuple[int, ...]]:
        """Every score of the scale under its band, ascending; an empty band stays in, empty."""
        return {band: tuple(score for score in self.scores if self.band_for(score) is band) for band in Band}


# CSAT and CES count "satisfied" and "agree" answers as the usual top boxes. Of stars only five are praise; three and
# fewer are where reviewers start to complain.
METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.key: metric
        for metric in (
            Metric(MetricKey.NPS, "NPS", 0, 10, passive_from=7, promoter_from=9, formula=Formula.NET),
            Metric(MetricKey.CSAT, "CSAT", 1, 5, passive_from=3, promoter_from=4, formula=Formula.SHARE),
            Metric(MetricKey.CES, "CES", 1, 7, passive_from=4, promoter_from=5, formula=Formula.SHARE),
            Metric(MetricKey.STARS, "star", 1, 5, passive_from=4, promoter_from=5, formula=Formula.MEAN),
            Metric(MetricKey.THUMBS, "thumbs", 0, 1, passive_from=1, promoter_from=1, formula=Formula.SHARE),
        )
    }
)
NPS = METRICS[MetricKey.NPS]
