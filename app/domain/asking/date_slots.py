"""Dates in properties, and the invitations that are about them: `date:exam_on:2026-12-01`."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.asking.triggers import OnDate
from app.domain.scores.period import day_begins_at

SPAN = len("2026-12-01")


def date_in(properties: Mapping[str, Any], trigger: OnDate) -> date | None:
    """The day that a property begins with; None where it has none."""
    value = properties.get(trigger.property)
    return day_named(value[:SPAN]) if isinstance(value, str) and value[SPAN:][:1] in ("", "T", " ") else None


def day_named(text: str) -> date | None:
    """None of 31 November, which looks like a day and is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def date_slot(trigger: OnDate, day: date) -> str:
    return f"date:{trigger.property}:{day.isoformat()}"


def due_on_date(trigger: OnDate, day: date, *, zone: ZoneInfo) -> datetime:
    """When that day of the person's begins."""
    return day_begins_at(day + timedelta(days=trigger.offset_days), zone)


def latest_for_date(trigger: OnDate, due_at: datetime) -> datetime:
    return due_at + timedelta(days=trigger.max_lateness_days)
