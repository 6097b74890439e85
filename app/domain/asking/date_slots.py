"""Dates in properties, and the invitations that are about them: `date:exam_on:2026-12-01`."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.asking.sending_window import SendingWindow
from app.domain.asking.triggers import UNLESS_SAID, OnDate

SPAN = len("2026-12-01")  # characters
# Days that there are, from 1900 until 2099: so far from the end of the calendar that days may be added to them. In
# PostgreSQL it means the same.
DAY = (
    "(?:(?:19|20)[0-9]{2}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))-02-29)"
)


def date_in(properties: Mapping[str, Any], trigger: OnDate) -> date | None:
    """The day that a property begins with; None where it has none, or one that never comes."""
    value = properties.get(trigger.property)
    begins = re.match(f"{DAY}(?=[T ]|\\Z)", value) if isinstance(value, str) else None
    return date.fromisoformat(begins[0]) if begins else None


def date_slot(trigger: OnDate, day: date) -> str:
    return f"date:{trigger.property}:{day.isoformat()}"


def day_in(slot: str) -> date | None:
    """The other way round; None of a slot that is about something else than a date."""
    return date.fromisoformat(slot[-SPAN:]) if slot.startswith("date:") else None


def due_on_date(trigger: OnDate, day: date, *, zone: ZoneInfo, window: SendingWindow) -> datetime:
    """By the person's own clock: a time it skips moves forward with it, of one that comes twice it is the first."""
    at = trigger.at
    if at is None:
        at = window.opens_at if window.has_hours else UNLESS_SAID
    return datetime.combine(day + timedelta(days=trigger.offset_days), at, tzinfo=zone).astimezone(UTC)


def latest_for_date(trigger: OnDate, due_at: datetime, *, zone: ZoneInfo) -> datetime:
    """At the same time of day, whether or not the person's clock was changed meanwhile."""
    return (due_at.astimezone(zone) + timedelta(days=trigger.max_lateness_days)).astimezone(UTC)
