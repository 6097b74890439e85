"""How many of the answers that are counted are anonymous, which decides what is withheld."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.domain.scores.grouping import Grouping
from app.domain.scores.minimum_group import is_too_small, too_telling
from app.domain.scores.scoring import Histogram
from app.queries.rollups import Counted, count_by_group

Found = tuple[Mapping[Any, Histogram], Histogram]


@dataclass(frozen=True, slots=True)
class AnonymousCounts:
    """Of each group and of all; what has no value of the property is in none of the groups."""

    by_group: Mapping[Any, int]
    n: int

    @property
    def are_too_few(self) -> bool:
        return is_too_small(self.n)

    def too_telling(self, keys: Sequence[Any]) -> set[Any]:
        without_value = self.n - sum(self.by_group.values())
        return too_telling({key: self.by_group.get(key, without_value if key is None else 0) for key in keys})


async def count_anonymous(
    tx: ReadTx | Tx, counted: Counted, grouping: Grouping | None, found: Found, *, anonymous: frozenset[UUID]
) -> AnonymousCounts:
    """`found` are all the answers, `anonymous` the campaigns among those asked for that are."""
    by_group, everything = found
    if not anonymous:
        by_group, everything = {}, Histogram()
    elif not counted.campaign_ids or not anonymous.issuperset(counted.campaign_ids):
        by_group, everything = await count_by_group(tx, replace(counted, campaign_ids=tuple(anonymous)), grouping)
    return AnonymousCounts({key: histogram.n for key, histogram in by_group.items()}, everything.n)
