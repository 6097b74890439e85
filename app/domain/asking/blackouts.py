"""Stretches of time in which nobody is written to, and how clocks stand still in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Self

from app.domain.asking.asking_invalid import AskingInvalid

MOST_BLACKOUTS = 100

Stretch = tuple[datetime, datetime]  # half-open, in UTC


@dataclass(frozen=True, slots=True)
class Blackout:
    """Half-open. With an `audience` it holds for those only; who asks about a person passes the ones that apply.

    Raises AskingInvalid when made ending before it begins.
    """

    from_at: datetime
    until_at: datetime
    audience: object | None = field(default=None, hash=False)  # filters need not be hashable

    def __post_init__(self) -> None:
        if self.from_at >= self.until_at:
            raise AskingInvalid("A blackout ends after it begins.", pointer="/asking/blackouts")

    @classmethod
    def from_json(cls, content: Mapping[str, Any], *, audience: object | None = None) -> Self:
        """`audience` as its own rules have read it. Raises AskingInvalid."""
        from_at, until_at = (datetime.fromisoformat(content[name]).astimezone(UTC) for name in ("from", "until"))
        return cls(from_at, until_at, audience)

    def to_json(self) -> dict[str, Any]:
        """Without the audience."""
        return {"from": self.from_at.isoformat(), "until": self.until_at.isoformat()}


Blackouts = tuple[Blackout, ...]


def add_open_time(start: datetime, duration: timedelta, blackouts: Blackouts) -> datetime:
    """When a clock that stands still in blackouts has run for `duration`: the earliest such instant."""
    left = duration
    at = start
    for begins, ends in dark_stretches(blackouts):
        if ends <= at:
            continue
        if at + left <= begins:
            break
        left -= max(begins - at, timedelta(0))
        if left <= timedelta(0):
            break
        at = ends
    return at + left


def without_blackouts(stretches: Sequence[Stretch], blackouts: Blackouts) -> Iterator[Stretch]:
    """What remains of stretches that are in order and do not overlap."""
    dark = dark_stretches(blackouts)
    for start, end in stretches:
        at = start
        for begins, ends in dark:
            if ends <= at:
                continue
            if begins >= end:
                break
            if begins > at:
                yield at, begins
            at = ends
        if at < end:
            yield at, end


@lru_cache(maxsize=1024)
def dark_stretches(blackouts: Blackouts) -> Sequence[Stretch]:
    """In order, those that overlap or touch joined."""
    joined: list[Stretch] = []
    for begins, ends in sorted((one.from_at, one.until_at) for one in blackouts):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return tuple(joined)
