"""How every part of a campaign's `asking` refuses; its pointers begin at the campaign."""

from app.domain.errors import RuleViolation


class AskingInvalid(RuleViolation):
    """Whom to ask, and when, breaks a rule."""

    code = "asking_invalid"


def check_range(name: str, value: float, low: float, high: float) -> None:
    """`name` as in `reminders/0/after_days`. Raises AskingInvalid."""
    if not low <= value <= high:
        raise AskingInvalid(f"Give a number from {low:g} to {high:g}.", pointer=f"/asking/{name}")
