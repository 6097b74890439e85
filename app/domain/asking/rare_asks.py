"""Rhythms that ask more often than a quarantine allows."""

from collections.abc import Iterator, Mapping

from app.domain.asking.asking import Asking
from app.domain.asking.plan import SendingWarning, WarningCode
from app.domain.asking.rhythm import AfterAnswer, Every, Unit

LONGEST_DAYS: Mapping[Unit, int] = {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 31}


def warnings_about_rhythm(asking: Asking, *, quarantine_days: int) -> Iterator[SendingWarning]:
    """`quarantine_days` of the workspace. Within a journey a campaign may ask again sooner."""
    days, alone = _days_between(asking), asking.quarantine(quarantine_days).days
    if days is not None and days < alone and asking.journey is None:
        text = (
            f"It would ask the same person every {days} days, but nobody is asked again within {alone} days, so most of"
            " its turns pass them over. Give it `quarantine_days` of its own, or let it ask more rarely."
        )
        yield SendingWarning(WarningCode.QUARANTINE_LONGER, None, text)


def _days_between(asking: Asking) -> int | None:
    match asking.trigger:
        case Every(count, unit):
            return count * LONGEST_DAYS[unit]
        case AfterAnswer(days):
            return days
    return None
