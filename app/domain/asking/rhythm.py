"""When a campaign asks by the calendar: once, every so often, or some days after each person's last answer.

Waves are counted from 1 and from the campaign's start, the *anchor*, in the workspace's time zone: each begins at the
anchor's time of day, so many days, weeks or months later. Every date is reckoned from the anchor and not from the wave
before, so that a monthly campaign begun on 31 January asks on 28 February and then on 31 March. A local time that the
clock skips moves forward with the clock; of one that comes twice it is the first.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.asking.asking_invalid import AskingInvalid, check_range
from app.domain.audience.stable_hash import fraction_of

LONGEST_AFTER_ANSWER = 3_650  # days


class Unit(StrEnum):
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


MOST = {Unit.DAYS: 3_650, Unit.WEEKS: 520, Unit.MONTHS: 120}  # ten years of each


class Spread(StrEnum):
    WAVE = "wave"  # everybody at the beginning of the period, in so many days
    EVENLY = "evenly"  # each person at their own moment of the period


@dataclass(frozen=True, slots=True)
class Once:
    def to_json(self) -> dict[str, Any]:
        return {"kind": "once"}


@dataclass(frozen=True, slots=True)
class Every:
    """Raises AskingInvalid when made with a count out of range."""

    count: int
    unit: Unit
    spread: Spread = Spread.WAVE

    def __post_init__(self) -> None:
        check_range("trigger/count", self.count, 1, MOST[self.unit])

    def to_json(self) -> dict[str, Any]:
        return {"kind": "every", "count": self.count, "unit": self.unit.value, "spread": self.spread.value}


@dataclass(frozen=True, slots=True)
class AfterAnswer:
    """So many days after a person's last answer. Raises AskingInvalid when made with days out of range."""

    days: int

    def __post_init__(self) -> None:
        check_range("trigger/days", self.days, 1, LONGEST_AFTER_ANSWER)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "after_answer", "days": self.days}


Rhythm = Once | Every | AfterAnswer
Waves = Once | Every


def rhythm_from_json(content: Mapping[str, Any]) -> Rhythm:
    """Reads what `to_json` wrote, or input whose types were checked. Raises AskingInvalid."""
    match content["kind"]:
        case "once":
            return Once()
        case "every":
            return Every(content["count"], Unit(content["unit"]), Spread(content.get("spread") or Spread.WAVE))
        case "after_answer":
            return AfterAnswer(content["days"])
    raise AskingInvalid("This is not a rhythm.", pointer="/asking/trigger/kind")


@dataclass(frozen=True, slots=True)
class Wave:
    """Half-open, in UTC. `ends_at` is where the next one starts; None: there is no next one."""

    number: int
    starts_at: datetime
    ends_at: datetime | None


def wave_at(rhythm: Waves, instant: datetime, *, anchor: datetime, zone: ZoneInfo) -> Wave | None:
    """The wave that an instant lies in; None before the anchor."""
    if instant < anchor:
        return None
    if isinstance(rhythm, Once):
        return Wave(1, anchor.astimezone(UTC), None)
    near = _periods_between(rhythm, anchor.astimezone(zone).date(), instant.astimezone(zone).date())
    # A day may be missing from the calendar of a zone that crossed the date line, so a wave may begin with the next.
    begun = (n for n in range(near + 2, -1, -1) if _start(rhythm, n, anchor=anchor, zone=zone) <= instant)
    return _wave(rhythm, next(begun, 0), anchor=anchor, zone=zone)


def next_wave(rhythm: Waves, instant: datetime, *, anchor: datetime, zone: ZoneInfo) -> Wave | None:
    """The first that starts after an instant; None when the only one has."""
    now = wave_at(rhythm, instant, anchor=anchor, zone=zone)
    if now is None:
        return wave_at(rhythm, anchor, anchor=anchor, zone=zone)
    return None if now.ends_at is None else wave_at(rhythm, now.ends_at, anchor=anchor, zone=zone)


def is_same_round(rhythm: Waves, one: datetime, other: datetime) -> bool:
    """Whether two starts can only be the same one, by the clocks of two time zones.

    Between zones a start moves by an hour or two of summer time; after so many months also by the days that the end of
    one month has more than that of another.
    """
    is_by_month = isinstance(rhythm, Every) and rhythm.unit is Unit.MONTHS
    return abs(one - other) < (timedelta(days=4) if is_by_month else timedelta(hours=12))


def due_in(wave: Wave, *, seed: str, person: UUID) -> datetime:
    """A person's own moment of a wave that ends, at the same share of every period: asks are a period apart.

    The seed is the campaign's and not the wave's for that reason.
    """
    if wave.ends_at is None:
        return wave.starts_at
    return wave.starts_at + (wave.ends_at - wave.starts_at) * fraction_of(seed, person)


def due_after_answer(
    rhythm: AfterAnswer, *, anchor: datetime, zone: ZoneInfo, answered_at: datetime | None, asked_at: datetime | None
) -> datetime:
    """When a person's turn comes: so many days after their last answer, at the same time of day, not before the anchor.

    Who was asked and did not answer waits as long from being asked; who never was is due from the anchor on.
    """
    last = max((moment for moment in (answered_at, asked_at) if moment is not None), default=None)
    if last is None:
        return anchor.astimezone(UTC)
    return max(anchor.astimezone(UTC), local_time_later(last, timedelta(days=rhythm.days), zone=zone))


def local_time_later(instant: datetime, days: timedelta, *, zone: ZoneInfo) -> datetime:
    """The same time of day so many whole days later, in UTC."""
    local = instant.astimezone(zone)
    return _resolved(local.date() + days, local, zone)


def _wave(rhythm: Every, periods: int, *, anchor: datetime, zone: ZoneInfo) -> Wave:
    starts_at, ends_at = (_start(rhythm, n, anchor=anchor, zone=zone) for n in (periods, periods + 1))
    return Wave(periods + 1, starts_at, ends_at)


def _start(rhythm: Every, periods: int, *, anchor: datetime, zone: ZoneInfo) -> datetime:
    if periods == 0:
        return anchor.astimezone(UTC)  # itself, even in the second of two equal hours
    local = anchor.astimezone(zone)
    return _resolved(_later(local.date(), periods * rhythm.count, rhythm.unit), local, zone)


def _resolved(day: date, clock: datetime, zone: ZoneInfo) -> datetime:
    """`fold=0` is the first of two equal times, and takes a skipped one forward by as much as was skipped (PEP 495)."""
    return datetime.combine(day, clock.time().replace(fold=0), tzinfo=zone).astimezone(UTC)


def _later(day: date, count: int, unit: Unit) -> date:
    match unit:
        case Unit.DAYS:
            return day + timedelta(days=count)
        case Unit.WEEKS:
            return day + timedelta(weeks=count)
        case Unit.MONTHS:
            years, month = divmod(day.month - 1 + count, 12)
            year, month = day.year + years, month + 1
            return date(year, month, min(day.day, monthrange(year, month)[1]))


def _periods_between(rhythm: Every, start: date, end: date) -> int:
    """Right to within one."""
    match rhythm.unit:
        case Unit.DAYS:
            return (end - start).days // rhythm.count
        case Unit.WEEKS:
            return (end - start).days // (7 * rhythm.count)
        case Unit.MONTHS:
            return (12 * (end.year - start.year) + end.month - start.month) // rhythm.count
