"""One event for one endpoint, and the ways it can end."""

from enum import StrEnum

from app.domain.errors import Conflict, NotFound


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"  # the timetable ended, or the receiver said never again
    CANCELLED = "cancelled"  # somebody wanted it so, or its endpoint was deleted


class DeliveryNotFound(NotFound):
    """There is no such delivery."""

    code = "delivery_not_found"


class DeliveryUnderWay(Conflict):
    """An attempt of this delivery is under way."""

    code = "delivery_under_way"


class DeliveryFinished(Conflict):
    """The delivery is finished."""

    code = "delivery_finished"


class DeliveryExpired(Conflict):
    """The event of this delivery is no longer kept."""

    code = "delivery_expired"
