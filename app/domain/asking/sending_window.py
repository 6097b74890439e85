"""On which days and between which hours a person is written to, by the clock on their own wall.

A window is open when that clock shows a time from `opens_at` on and before `closes_at`, on one of its days that is no
holiday. A window may cross midnight (22:00 until 06:00) and then belongs to the day on which it opened, early morning
included; equal times are a whole day. Going by the clock on the wall decides what happens when clocks change: in spring
a window loses the hour that is skipped, in autumn it is open in both of two equal hours.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

from app.domain.asking.asking_invalid import AskingInvalid, time_of_day
from app.domain.asking.blackouts import Blackouts, Stretch, without_blackouts
from app.domain.scores.period import ONE_DAY, day_begins_at

LOOKED_AHEAD = timedelta(days=400)  # whoever cannot be written to for a year is not going to be
MOST_HOLIDAYS = 500
MIDNIGHT = time(0)
NO_BLACKOUTS: Blackouts = ()


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class SendingWindow:
    """Raises AskingInvalid when made without a day, or with too many holidays."""

    days: frozenset[Weekday] = frozenset(WEEK)
    opens_at: time = MIDNIGHT
    closes_at: time = MIDNIGHT  # at or before `opens_at`: on the next day
    holidays: frozenset[date] = frozenset()
    wants_best_hour: bool = False

    def __post_init__(self) -> None:
        if not self.days:
            raise AskingInvalid("A window has at least one day of the week.", pointer="/asking/window/days")
        if len(self.holidays) > MOST_HOLIDAYS:
            raise AskingInvalid(f"Name at most {MOST_HOLIDAYS} holidays.", pointer="/asking/window/holidays")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote, or input whose types were checked. Raises AskingInvalid."""
        return cls(
            frozenset(Weekday(day) for day in content.get("days") or WEEK),
            time_of_day("window/from", content.get("from") or "00:00"),
            time_of_day("window/until", content.get("until") or "00:00"),
            frozenset(_holiday(place, day) for place, day in enumerate(content.get("holidays") or ())),
            bool(content.get("best_hour")),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "days": [day.value for day in WEEK if day in self.days],
            "from": self.opens_at.strftime("%H:%M"),
            "until": self.closes_at.strftime("%H:%M"),
            "holidays": sorted(day.isoformat() for day in self.holidays),
            "best_hour": self.wants_best_hour,
        }

    @property
    def has_hours(self) -> bool:
        return (self.opens_at, self.closes_at) != (MIDNIGHT, MIDNIGHT)

    @property
    def longest_closed(self) -> timedelta:
        """It is never closed for longer: a holiday, or an hour that clocks skip, is at most a week's only opening."""
        return timedelta(weeks=2 + len(self.holidays), days=1)

    @property
    def crosses_midnight(self) -> bool:
        return self.closes_at <= self.opens_at and self.closes_at != MIDNIGHT

    def admits(self, local: datetime) -> bool:
        """Whether it is open when this is what the clock shows."""
        day, clock = local.date(), local.time()
        if self.opens_at < self.closes_at:
            return self.opens_at <= clock < self.closes_at and self._opens_on(day)
        if clock >= self.opens_at:
            return self._opens_on(day)
        return clock < self.closes_at and self._opens_on(day - ONE_DAY)

    def _opens_on(self, day: date) -> bool:
        return WEEK[day.weekday()] in self.days and day not in self.holidays

    def narrowed_to(self, hour: int) -> Self:
        """Only that hour of the day; the same window where it has nothing of that hour, or crosses midnight."""
        opens_at = max(self.opens_at, time(hour))
        ends = [end for end in (self.closes_at, time((hour + 1) % 24)) if end != MIDNIGHT]
        closes_at = min(ends, default=MIDNIGHT)
        if self.crosses_midnight or (closes_at != MIDNIGHT and closes_at <= opens_at):
            return self
        return replace(self, opens_at=opens_at, closes_at=closes_at)


def _holiday(place: int, day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        detail = f"There is no {day} in the calendar."
        raise AskingInvalid(detail, pointer=f"/asking/window/holidays/{place}") from None


ALWAYS = SendingWindow()


def is_open(
    at: datetime, *, zone: ZoneInfo, window: SendingWindow = ALWAYS, blackouts: Blackouts = NO_BLACKOUTS
) -> bool:
    return window.admits(at.astimezone(zone)) and not any(one.from_at <= at < one.until_at for one in blackouts)


def next_open(
    at: datetime,
    *,
    zone: ZoneInfo,
    window: SendingWindow = ALWAYS,
    blackouts: Blackouts = NO_BLACKOUTS,
    within: timedelta = LOOKED_AHEAD,
) -> datetime | None:
    """The first instant from `at` on when the window is open; None when there is none `within` that time."""
    spans = open_spans(at, at + within, zone=zone, window=window, blackouts=blackouts)
    return next((start for start, _ in spans), None)


def open_until(
    at: datetime,
    *,
    zone: ZoneInfo,
    window: SendingWindow = ALWAYS,
    blackouts: Blackouts = NO_BLACKOUTS,
    within: timedelta,
) -> datetime:
    """When it closes after an instant at which it is open; no later than `within` that time."""
    ends_at = at
    for start, end in open_spans(at, at + within, zone=zone, window=window, blackouts=blackouts):
        if start > ends_at:
            break
        ends_at = max(ends_at, end)
    return ends_at


def open_moment(
    share: float,
    *,
    starts_at: datetime,
    ends_at: datetime,
    zone: ZoneInfo,
    window: SendingWindow = ALWAYS,
    blackouts: Blackouts = NO_BLACKOUTS,
) -> datetime | None:
    """When that share (0 ≤ share < 1) of all open time between two instants has passed; None where none is open.

    People whose shares are uniform are so spread evenly over the hours in which they can be written to, where an even
    spread over the clock would let whoever falls into the night wait for the morning together.
    """
    spans, passed = _open_time(starts_at, ends_at, zone, window, blackouts)
    if not spans:
        return None
    wanted = min(passed[-1] * share, passed[-1] - timedelta.resolution)
    place = bisect_right(passed, wanted, hi=len(spans)) - 1
    return spans[place][0] + (wanted - passed[place])


@lru_cache(maxsize=1024)
def _open_time(
    starts_at: datetime, ends_at: datetime, zone: ZoneInfo, window: SendingWindow, blackouts: Blackouts
) -> tuple[Sequence[Stretch], Sequence[timedelta]]:
    """Every open span, and how much open time passed before each and in all."""
    spans = list(open_spans(starts_at, ends_at, zone=zone, window=window, blackouts=blackouts))
    return spans, list(accumulate((end - start for start, end in spans), initial=timedelta(0)))


def open_spans(
    from_at: datetime,
    until_at: datetime,
    *,
    zone: ZoneInfo,
    window: SendingWindow = ALWAYS,
    blackouts: Blackouts = NO_BLACKOUTS,
) -> Iterator[Stretch]:
    """In order, inside the two instants; spans may touch."""
    day, last = from_at.astimezone(zone).date(), until_at.astimezone(zone).date()
    while day <= last + ONE_DAY:  # which has begun already where midnight comes twice
        for start, end in without_blackouts(_open_spans_of(day, zone, window), blackouts):
            if max(start, from_at) < min(end, until_at):
                yield max(start, from_at), min(end, until_at)
        day += ONE_DAY


@lru_cache(maxsize=16_384)  # a fortnight of every zone there is, for two windows
def _open_spans_of(day: date, zone: ZoneInfo, window: SendingWindow) -> Sequence[Stretch]:
    """Between the first instant of a day and that of the next; UTC."""
    begins, ends = day_begins_at(day, zone), day_begins_at(day + ONE_DAY, zone)
    near = (day - ONE_DAY, day, day + ONE_DAY)
    edges = {
        datetime.combine(near_day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for near_day in near
        for clock in (MIDNIGHT, window.opens_at, window.closes_at)
        for fold in (0, 1)
    }
    cuts = sorted(
        {begins, ends, *_clock_changes(begins, ends, zone), *(edge for edge in edges if begins < edge < ends)}
    )
    return [(start, end) for start, end in pairwise(cuts) if window.admits(start.astimezone(zone))]


def _clock_changes(begins: datetime, ends: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    hours = int((ends - begins) / timedelta(hours=6))
    marks = [*(begins + timedelta(hours=6) * hour for hour in range(hours + 1)), ends]
    for before, after in pairwise(marks):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield _change_between(before, after, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second with the later offset, found by halving."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)
