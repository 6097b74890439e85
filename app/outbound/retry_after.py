"""`Retry-After`: seconds, or a date. RFC 9110, section 10.2.3."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.domain.webhooks.attempts import LONGEST_WAIT_SECONDS


def read_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait, 0 to 24 h; None when the header is absent or unreadable."""
    if not value:
        return None
    seconds = _seconds(value.strip(), now=now)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _seconds(value: str, *, now: datetime) -> float | None:
    if value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
