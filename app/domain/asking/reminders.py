"""When somebody who has not answered is reminded, and when their invitation expires.

Both are counted from the first message, in days of 24 hours, on clocks that stand still in blackouts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Self

from app.domain.asking.asking_invalid import AskingInvalid, check_range
from app.domain.asking.blackouts import Blackouts, add_open_time

MOST_REMINDERS = 3
LONGEST = 365  # days
DEFAULT_EXPIRY = 30  # days


@dataclass(frozen=True, slots=True)
class Reminders:
    """`after_days` ascend, each counted from the first message, all before `expires_after_days`.

    Raises AskingInvalid when made otherwise.
    """

    after_days: tuple[int, ...] = ()
    expires_after_days: int = DEFAULT_EXPIRY

    def __post_init__(self) -> None:
        check_range("expires_after_days", self.expires_after_days, 1, LONGEST)
        if len(self.after_days) > MOST_REMINDERS:
            raise AskingInvalid(f"Remind people at most {MOST_REMINDERS} times.", pointer="/asking/reminders")
        for place, (before, days) in enumerate(pairwise((0, *self.after_days))):
            pointer = f"/asking/reminders/{place}/after_days"
            if days <= before:
                raise AskingInvalid("Each reminder comes at least a day after what went before.", pointer=pointer)
            if days >= self.expires_after_days:
                raise AskingInvalid("A reminder comes before the invitation expires.", pointer=pointer)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of an `asking` as a whole: its `reminders` and `expires_after_days`. Raises AskingInvalid."""
        expires = content.get("expires_after_days")
        after_days = tuple(reminder["after_days"] for reminder in content.get("reminders") or ())
        return cls(after_days, DEFAULT_EXPIRY if expires is None else expires)

    def to_json(self) -> dict[str, Any]:
        return {
            "reminders": [{"after_days": days} for days in self.after_days],
            "expires_after_days": self.expires_after_days,
        }


def expires_at(reminders: Reminders, *, asked_at: datetime, blackouts: Blackouts) -> datetime:
    return add_open_time(asked_at, timedelta(days=reminders.expires_after_days), blackouts)


def next_reminder(
    reminders: Reminders, *, asked_at: datetime, sent: int, last_sent_at: datetime, blackouts: Blackouts
) -> datetime | None:
    """When the next one is due, before any window; None when there is none left, or none before the expiry.

    `sent` counts the reminders and `last_sent_at` is when the latest message went out, the first one included. One that
    was late, as after a stop of the service, pushes those after it back: two never come closer than they were meant to.
    """
    if sent >= len(reminders.after_days):
        return None
    days, before = reminders.after_days[sent], (0, *reminders.after_days)[sent]
    due = max(
        add_open_time(asked_at, timedelta(days=days), blackouts),
        add_open_time(last_sent_at, timedelta(days=days - before), blackouts),
    )
    return due if due < expires_at(reminders, asked_at=asked_at, blackouts=blackouts) else None
