"""The stretch of time a score is about, half-open. Each end is a day of the workspace's calendar, or an instant.

Days are those that answers were counted on when they came, and stay so when the workspace moves to another zone.
Instants are compared with the time of the answer itself. An instant that is a midnight of the workspace is the day that
begins then.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from app.domain.errors import RuleViolation
from app.domain.scores.period import (
    EARLIEST,
    LATEST,
    ONE_DAY,
    Period,
    PeriodEmpty,
    PeriodOutOfRange,
    day_begins_at,
    day_of,
)

# No zone was ever further from UTC (Manila kept 15:56 behind until 1844), so an answer's day, in whatever zone it was
# counted, is never further than this from the day in UTC.
FARTHEST_FROM_UTC = timedelta(hours=16)

Days = tuple[date | None, date | None]  # half-open; None: no end on this side


class ComparisonNeedsPeriod(RuleViolation):
    """There is no earlier period to compare with."""

    code = "comparison_needs_period"


@dataclass(frozen=True, slots=True)
class Bound:
    """`day` begins at `instant` when `is_midnight`, else `instant` lies within it."""

    day: date
    instant: datetime  # UTC
    is_midnight: bool

    @classmethod
    def of(cls, said: date | datetime, zone: ZoneInfo) -> Self:
        """A day, or an aware instant. Raises PeriodOutOfRange."""
        if not EARLIEST <= date(said.year, said.month, said.day) <= LATEST:
            raise PeriodOutOfRange(f"Periods lie between {EARLIEST} and {LATEST}.")
        if not isinstance(said, datetime):
            return cls(said, day_begins_at(said, zone), is_midnight=True)
        day = day_of(said, zone)
        return cls(day, said.astimezone(UTC), is_midnight=day_begins_at(day, zone) == said)

    def is_before(self, other: Self) -> bool:
        if self.is_midnight and other.is_midnight:
            return self.day < other.day  # a day that a zone left out begins together with the next
        return self.instant < other.instant

    @property
    def first_day_after(self) -> date:
        return self.day if self.is_midnight else self.day + ONE_DAY

    @property
    def days_near(self) -> tuple[date, date]:
        """Half-open: the days on which an answer given close to the instant may have been counted, before or after."""
        first, last = self.instant - FARTHEST_FROM_UTC, self.instant + FARTHEST_FROM_UTC
        return (self.day, self.day) if self.is_midnight else (first.date(), last.date() + ONE_DAY)


@dataclass(frozen=True, slots=True)
class Span:
    """None: no end on this side."""

    start: Bound | None
    end: Bound | None
    zone: ZoneInfo

    def __post_init__(self) -> None:
        """Raises PeriodEmpty."""
        if self.start is not None and self.end is not None and not self.start.is_before(self.end):
            raise PeriodEmpty("A period ends after it begins: `until` must be later than `from`.")

    @classmethod
    def of(cls, start: date | datetime | None, end: date | datetime | None, *, zone: ZoneInfo) -> Self:
        """Raises PeriodEmpty, PeriodOutOfRange."""
        return cls(None if start is None else Bound.of(start, zone), None if end is None else Bound.of(end, zone), zone)

    @property
    def inner_days(self) -> Days:
        """Days that lie in the span as a whole, whatever zone their answers were counted in. May be none."""
        start = self.start.days_near[1] if self.start else None
        return start, self.end.days_near[0] if self.end else None

    @property
    def outer_days(self) -> Days:
        """All days on which answers of the span may have been counted; at the edges, also others were."""
        return self.start.days_near[0] if self.start else None, self.end.days_near[1] if self.end else None

    @property
    def edge_days(self) -> list[Days]:
        """The few days of which the span may hold a part; which answers, their own time tells."""
        (outer_from, inner_from), (inner_until, outer_until) = self._near(self.start), self._near(self.end)
        if inner_from is not None and inner_until is not None and inner_from >= inner_until:
            inner_from = inner_until = outer_until
        edges = ((outer_from, inner_from), (inner_until, outer_until))
        return [edge for edge in edges if edge[0] != edge[1]]

    @staticmethod
    def _near(bound: Bound | None) -> Days:
        return (None, None) if bound is None else bound.days_near

    def previous(self) -> Self:
        """As long, ending where this one begins. Raises ComparisonNeedsPeriod, PeriodOutOfRange."""
        start, end = self._ends()
        if start.is_midnight and end.is_midnight:
            return self._of_days(Period(start.day, end.day).previous())
        return type(self).of(start.instant - (end.instant - start.instant), start.instant, zone=self.zone)

    def year_ago(self) -> Self:
        """The same dates and times of day one year earlier. Raises ComparisonNeedsPeriod, PeriodOutOfRange."""
        start, end = self._ends()
        if start.is_midnight and end.is_midnight:
            return self._of_days(Period(start.day, end.day).year_ago())
        return type(self).of(_year_before(start, self.zone), _year_before(end, self.zone), zone=self.zone)

    def _ends(self) -> tuple[Bound, Bound]:
        if self.start is None or self.end is None:
            raise ComparisonNeedsPeriod("Give `from` and `until`: all of time has no period before it.")
        return self.start, self.end

    def _of_days(self, period: Period) -> Self:
        return type(self).of(period.from_on, period.until_on, zone=self.zone)


def _year_before(bound: Bound, zone: ZoneInfo) -> datetime:
    """29 February becomes 28 February."""
    local = bound.instant.astimezone(zone)
    is_leap_day = (local.month, local.day) == (2, 29)
    return local.replace(year=local.year - 1, day=28 if is_leap_day else local.day)
