"""The one place that reads the clock; everything below the edge takes `now` as a parameter."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
