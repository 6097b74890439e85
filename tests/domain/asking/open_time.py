"""How long a clock that stands still in blackouts has run: the other way round from what is tested."""

from datetime import datetime, timedelta

from app.domain.asking.blackouts import Blackouts, without_blackouts


def open_time_between(start: datetime, end: datetime, blackouts: Blackouts) -> timedelta:
    return sum((until - since for since, until in without_blackouts([(start, end)], blackouts)), start=timedelta(0))
