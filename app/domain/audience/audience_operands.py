"""What filters compare with: moments as seen from a present, sizes, and numbers as they were written."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.audience.audience import Moment, Relative
from app.domain.audience.audience_fields import Operator
from app.domain.scores.period import day_begins_at, day_of

SIZES: Mapping[Operator, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        Operator.LT: operator.lt,
        Operator.LTE: operator.le,
        Operator.GT: operator.gt,
        Operator.GTE: operator.ge,
        Operator.SINCE: operator.ge,
        Operator.BEFORE: operator.lt,
    }
)


@dataclass(frozen=True, slots=True)
class Present:
    """The moment that filters are judged at, and the workspace's zone, by which days begin."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return day_of(self.now, self.zone)

    def day(self, moment: Moment) -> date:
        match moment:
            case Relative(days=days):
                return self.today + timedelta(days=days)
            case datetime():
                return day_of(moment, self.zone)
            case day:
                return day

    def instant(self, moment: Moment) -> datetime:
        match moment:
            case Relative(days=days):
                return self.now.astimezone(UTC) + timedelta(days=days)
            case datetime():
                return moment
            case day:
                return day_begins_at(day, self.zone)


def exact(value: float | Decimal) -> Decimal:
    """The number that was written, not the nearest binary fraction."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
