"""The life of a tracked property: declaring → tracked → removing.

While it is being declared, new answers are already counted under it and older ones follow; while it is being removed,
no new ones are counted and older ones are taken out.
"""

from enum import StrEnum

from app.domain.errors import Conflict, NotFound
from app.domain.scores.segment import TrackedProperty

MOST_TRACKED = 10  # each makes every recorded answer count once more


class TrackingState(StrEnum):
    DECLARING = "declaring"
    TRACKED = "tracked"
    REMOVING = "removing"


class TrackedPropertyNotFound(NotFound):
    """There is no such tracked property."""

    code = "tracked_property_not_found"


class AlreadyTracked(Conflict):
    """The property is already tracked in another way."""

    code = "already_tracked"


class StillBeingRemoved(Conflict):
    """The property is still being removed."""

    code = "still_being_removed"


class TooManyTracked(Conflict):
    """No more properties can be tracked."""

    code = "too_many_tracked"


def is_repeated(declared: TrackedProperty, *, standing: TrackedProperty | None, state: str | None, others: int) -> bool:
    """Whether it already stands as declared. Raises AlreadyTracked, StillBeingRemoved, TooManyTracked."""
    if state == TrackingState.REMOVING:
        raise StillBeingRemoved(f"{declared.key} is being taken out of older responses; declare it again afterwards.")
    if standing == declared:
        return True
    if standing is not None:
        detail = f"{declared.key} is tracked with other settings; remove it first to count it anew."
        raise AlreadyTracked(detail, pointer="/key")
    if others >= MOST_TRACKED:
        raise TooManyTracked(f"At most {MOST_TRACKED} properties are tracked; remove one first.")
    return False
