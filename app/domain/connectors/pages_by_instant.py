"""Pages of services that sort by the instant of a change and by id, and are asked for what comes behind both."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.domain.connectors.pages import Page, Place, Record
from app.domain.connectors.protocol import UNREADABLE, Failed
from app.domain.webhooks.attempts import Failure


def page_by_instant(records: Sequence[Record], place: Place, *, changed: str, at_once: int) -> Page:
    """`changed` is the field that holds the instant. Raises Failed."""
    if not records:
        return Page(records, place, is_last=True)
    last = records[-1]
    return Page(records, Place(instant_in(last, changed), last.id), is_last=len(records) < at_once)


def instant_in(record: Record, changed: str) -> datetime:
    """Raises Failed."""
    try:
        at = datetime.fromisoformat(str(record.fields[changed]))
    except ValueError:
        raise Failed(Failure.ERROR_IN_BODY, UNREADABLE) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
