"""Whole days of the workspace's calendar, half-open: `from_on` belongs to a period, `until_on` does not."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from app.domain.errors import RuleViolation

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)  # keeps every calculation inside what `date` can hold
MOST_BUCKETS = 1_100  # three years of days, more than any chart shows
ONE_DAY = timedelta(days=1)


class PeriodEmpty(RuleViolation):
    """The period ends before it begins."""

    code = "period_empty"


class PeriodOutOfRange(RuleViolation):
    """The period lies outside the years served."""

    code = "period_out_of_range"


class TooManyBuckets(RuleViolation):
    """The period is too long for groups this small."""

    code = "too_many_buckets"


class UnknownTimeZone(RuleViolation):
    """The time zone is not known."""

    code = "unknown_time_zone"


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"  # ISO: begins on Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    from_on: date
    until_on: date

    def __post_init__(self) -> None:
        """Raises PeriodEmpty, PeriodOutOfRange."""
        if self.from_on >= self.until_on:
            raise PeriodEmpty(f"A period has at least one day: {self.until_on} is not after {self.from_on}.")
        if self.from_on < EARLIEST or self.until_on > LATEST:
            raise PeriodOutOfRange(f"Periods lie between {EARLIEST} and {LATEST}.")

    @property
    def days(self) -> int:
        return (self.until_on - self.from_on).days

    def previous(self) -> Self:
        """As many days, ending where this period begins."""
        return type(self)(self.from_on - (self.until_on - self.from_on), self.from_on)

    def year_ago(self) -> Self:
        """The same calendar dates one year earlier.

        29 February becomes 28 February where a period begins, and 1 March where one ends, so that no period vanishes
        and 1–28 February stays 1–28 February.
        """
        return type(self)(_year_before(self.from_on, leap_day=(2, 28)), _year_before(self.until_on, leap_day=(3, 1)))

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The half-open span of time, in UTC, that these days are in `zone`."""
        return day_begins_at(self.from_on, zone), day_begins_at(self.until_on, zone)


def _year_before(day: date, *, leap_day: tuple[int, int]) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, *leap_day)
    return day.replace(year=day.year - 1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """`starts_on` names the bucket (as PostgreSQL's date_trunc does); `period` is the part of it that was asked for."""

    starts_on: date
    period: Period
    is_whole: bool


def buckets(period: Period, *, grain: Grain) -> list[Bucket]:
    """Every bucket that touches the period, in order; together they are the period. Raises TooManyBuckets."""
    found: list[Bucket] = []
    starts_on = bucket_start(period.from_on, grain=grain)
    while starts_on < period.until_on:
        ends_on = next_bucket_start(starts_on, grain=grain)
        part = Period(max(starts_on, period.from_on), min(ends_on, period.until_on))
        found.append(Bucket(starts_on, part, is_whole=part.days == (ends_on - starts_on).days))
        if len(found) > MOST_BUCKETS:
            raise TooManyBuckets(f"Ask for at most {MOST_BUCKETS} groups: a shorter period, or longer groups.")
        starts_on = ends_on
    return found


def bucket_start(day: date, *, grain: Grain) -> date:
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Grain.YEAR:
            return day.replace(month=1, day=1)


# Longer than any bucket and shorter than two: from a start it always lands in the next one.
_INTO_THE_NEXT = {
    Grain.DAY: ONE_DAY,
    Grain.WEEK: timedelta(days=7),
    Grain.MONTH: timedelta(days=31),
    Grain.QUARTER: timedelta(days=92),
    Grain.YEAR: timedelta(days=366),
}


def next_bucket_start(starts_on: date, *, grain: Grain) -> date:
    return bucket_start(starts_on + _INTO_THE_NEXT[grain], grain=grain)


def day_begins_at(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day, in UTC.

    Where the clock skips midnight that is the instant of the change, and where midnight comes twice it is the first
    of the two: what `fold=0` means in both cases (PEP 495).
    """
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day in `zone`; `instant` must be aware. PostgreSQL: `(instant AT TIME ZONE zone)::date`."""
    return instant.astimezone(zone).date()


# Files of a time zone directory that name no zone: whatever the machine is set to, and copies with leap seconds.
_NOT_ZONES = ("localtime", "posixrules", "Factory", "posix/", "right/")


def zone_named(name: str) -> ZoneInfo:
    """Raises UnknownTimeZone."""
    try:
        return ZoneInfo("" if name.startswith(_NOT_ZONES) else name)
    except (KeyError, ValueError, OSError) as error:
        raise UnknownTimeZone("Use an IANA time zone such as Europe/Berlin.", pointer="/time_zone") from error
