"""What makes a campaign ask somebody: the calendar, something that happened to them, or a date of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from app.domain.asking.asking_invalid import AskingInvalid, check_range, time_of_day
from app.domain.asking.rhythm import AfterAnswer, Every, Once, Rhythm, rhythm_from_json
from app.domain.people.properties import LONGEST_KEY

LONGEST_NAME = 200
LONGEST_DELAY_MINUTES = 527_040  # 366 days
LATEST_HOURS, LATEST_DAYS = 8_784, 366
DEFAULT_LATENESS_HOURS, DEFAULT_LATENESS_DAYS = 48, 7
UNLESS_SAID = time(9)  # on a date; a day begins at midnight, when nobody wants mail
FARTHEST_OFFSET = 3_650  # days
MOST_CANCELLING = 20


@dataclass(frozen=True, slots=True)
class AfterTouchpoint:
    """So long after a touchpoint of that name, unless one that cancels it comes before the mail.

    Not sent `max_lateness_hours` after the window opens for it, it is not sent at all. Raises AskingInvalid when made
    otherwise.
    """

    name: str
    delay_minutes: int = 0
    cancelled_by: tuple[str, ...] = ()
    max_lateness_hours: int = DEFAULT_LATENESS_HOURS

    def __post_init__(self) -> None:
        check_range("trigger/delay_minutes", self.delay_minutes, 0, LONGEST_DELAY_MINUTES)
        check_range("trigger/max_lateness_hours", self.max_lateness_hours, 1, LATEST_HOURS)
        _check_name("name", self.name)
        if len(self.cancelled_by) > MOST_CANCELLING:
            detail = f"At most {MOST_CANCELLING} touchpoints cancel another."
            raise AskingInvalid(detail, pointer="/asking/trigger/cancelled_by")
        for place, name in enumerate(self.cancelled_by):
            _check_name(f"cancelled_by/{place}", name)
            if name == self.name:
                detail = "A touchpoint does not cancel itself."
                raise AskingInvalid(detail, pointer=f"/asking/trigger/cancelled_by/{place}")

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "touchpoint",
            "name": self.name,
            "delay_minutes": self.delay_minutes,
            "cancelled_by": list(self.cancelled_by),
            "max_lateness_hours": self.max_lateness_hours,
        }


@dataclass(frozen=True, slots=True)
class OnDate:
    """So many days after the date in a property of the recipient's, before it where negative.

    `at`, by their own clock; None: when the window opens, or at `UNLESS_SAID` where that has no hours.
    Raises AskingInvalid when made with days out of range.
    """

    property: str
    offset_days: int = 0
    max_lateness_days: int = DEFAULT_LATENESS_DAYS
    at: time | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.property) <= LONGEST_KEY or "\0" in self.property:
            detail = f"Keys of properties have 1 to {LONGEST_KEY} characters."
            raise AskingInvalid(detail, pointer="/asking/trigger/property")
        check_range("trigger/offset_days", self.offset_days, -FARTHEST_OFFSET, FARTHEST_OFFSET)
        check_range("trigger/max_lateness_days", self.max_lateness_days, 1, LATEST_DAYS)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "date_property",
            "property": self.property,
            "offset_days": self.offset_days,
            "at": self.at and self.at.strftime("%H:%M"),
            "max_lateness_days": self.max_lateness_days,
        }


Trigger = Rhythm | AfterTouchpoint | OnDate
# What a slot begins with: invitations say after what they come.
SLOT_OF: Mapping[type, str] = {
    Once: "wave", Every: "wave", AfterAnswer: "after", AfterTouchpoint: "touchpoint", OnDate: "date",
}  # fmt: skip


def trigger_from_json(content: Mapping[str, Any]) -> Trigger:
    """Reads what `to_json` wrote, or input whose types were checked. Raises AskingInvalid."""
    hours, days, at = (content.get(name) for name in ("max_lateness_hours", "max_lateness_days", "at"))
    match content["kind"]:
        case "touchpoint":
            return AfterTouchpoint(
                content["name"],
                content.get("delay_minutes") or 0,
                tuple(content.get("cancelled_by") or ()),
                DEFAULT_LATENESS_HOURS if hours is None else hours,
            )
        case "date_property":
            return OnDate(
                content["property"],
                content.get("offset_days") or 0,
                DEFAULT_LATENESS_DAYS if days is None else days,
                None if at is None else time_of_day("trigger/at", at),
            )
    return rhythm_from_json(content)


def _check_name(name: str, value: str) -> None:
    if not 1 <= len(value) <= LONGEST_NAME or "\0" in value:
        raise AskingInvalid(f"Names have 1 to {LONGEST_NAME} characters.", pointer=f"/asking/trigger/{name}")
