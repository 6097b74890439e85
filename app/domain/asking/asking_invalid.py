"""How every part of a campaign's `asking` refuses; its pointers begin at the campaign."""

from datetime import datetime, time

from app.domain.errors import RuleViolation


class AskingInvalid(RuleViolation):
    """The asking is not valid."""

    code = "asking_invalid"


def time_of_day(name: str, text: str) -> time:
    """`name` as in `window/from`. 24:00 is midnight too. Raises AskingInvalid."""
    try:
        return time(0) if text == "24:00" else datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  has no zone
    except ValueError:
        raise AskingInvalid("Write times of day like 09:00.", pointer=f"/asking/{name}") from None


def check_range(name: str, value: float, low: float, high: float) -> None:
    """`name` as in `reminders/0/after_days`. Raises AskingInvalid."""
    if not low <= value <= high:
        raise AskingInvalid(f"Give a number from {low:g} to {high:g}.", pointer=f"/asking/{name}")
