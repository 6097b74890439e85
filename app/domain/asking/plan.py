"""What a plan comes to: how many, when, and who is left out and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.asking.departures import Departures
from app.domain.asking.eligibility import Decision, Skip, Wait


class WarningCode(StrEnum):
    SENDER_MISSING = "sender_missing"
    DOMAIN_FAILED = "domain_failed"
    DOMAIN_UNKNOWN = "domain_unknown"
    DOMAIN_UNCHECKED = "domain_unchecked"
    QUARANTINE_LONGER = "quarantine_longer"  # than what lies between two turns


@dataclass(frozen=True, slots=True)
class SendingWarning:
    code: WarningCode
    domain: str | None
    text: str


@dataclass(slots=True)
class Plan:
    matched: int = 0
    selected: int = 0
    left_out: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    waiting: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[tuple[date, int]] = field(default_factory=Counter)
    days_of_warm_up: int | None = None
    by_day: Counter[date] = field(default_factory=Counter)  # on which mails leave
    last_at: datetime | None = None
    late: int = 0
    is_complete: bool = True
    warnings: Sequence[SendingWarning] = ()

    @property
    def due(self) -> int:
        return self.by_hour.total()

    @property
    def hours(self) -> list[dict[str, object]]:
        return [{"day": day, "hour": hour, "count": count} for (day, hour), count in sorted(self.by_hour.items())]

    @property
    def days(self) -> list[dict[str, object]]:
        return [{"day": day, "count": count} for day, count in sorted(self.by_day.items())]

    def add(self, decision: Decision, *, due_at: datetime, zone: ZoneInfo) -> None:
        """`due_at`: of whoever waits, until when."""
        if isinstance(decision, Skip):
            self.skipped[decision.reason.value] += 1
            return
        if isinstance(decision, Wait):
            self.waiting[decision.reason.value] += 1
        local = due_at.astimezone(zone)
        self.by_hour[local.date(), local.hour] += 1

    def expect(self, departures: Departures, *, zone: ZoneInfo, now: datetime) -> None:
        for hour, count in departures.by_hour.items():
            self.by_day[hour.astimezone(zone).date()] += count
        self.late = departures.late
        self.last_at = None if departures.last_at is None else max(departures.last_at, now)
