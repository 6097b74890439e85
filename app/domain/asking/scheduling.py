"""When exactly somebody is written to: their turn by the trigger, moved into an hour in which they may be."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.asking.asking import Asking
from app.domain.asking.best_hour import hour_for
from app.domain.asking.date_slots import due_on_date, latest_for_date
from app.domain.asking.eligibility import Reason
from app.domain.asking.rhythm import Wave, due_in
from app.domain.asking.sending_window import SendingWindow, next_open, open_moment
from app.domain.asking.triggers import AfterTouchpoint, OnDate
from app.domain.audience.stable_hash import fraction_of, pick_variant


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's, of one campaign. Of a wave, a touchpoint or a date, whichever the trigger is about.

    `not_before`: of one after an answer. Of a turn that is planned already, since when, and why it is no more, if so.
    """

    campaign_id: UUID
    person: UUID
    zone: ZoneInfo
    wave: Wave | None = None
    occurred_at: datetime | None = None
    day: date | None = None
    until: datetime | None = None  # the campaign's end
    not_before: datetime | None = None
    planned_at: datetime | None = None
    outlived: Reason | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """`due_at`: None where no hour is open before `latest_at`."""

    due_at: datetime | None
    latest_at: datetime | None


def schedule(asking: Asking, turn: Turn, *, best: int | None = None, now: datetime) -> Appointment:
    """`best`: the hour at which most answer, if it is known and wanted."""
    hour = hour_for(turn.person, best=best, seed=str(turn.campaign_id))
    wanted = None if hour is None else _appointment(asking, turn, asking.window.narrowed_to(hour), now)
    if wanted is not None and wanted.due_at is not None:
        return wanted
    return _appointment(asking, turn, asking.window, now)  # another hour is better than none


def _appointment(asking: Asking, turn: Turn, window: SendingWindow, now: datetime) -> Appointment:
    begins_at, latest_at = _bounds(asking, turn, window, now)
    if turn.until is not None:
        latest_at = turn.until if latest_at is None else min(latest_at, turn.until)
    due_at = next_open(begins_at, zone=turn.zone, window=window, blackouts=asking.common_blackouts)
    if due_at is not None and asking.spread_days and asking.is_in_waves:
        due_at = _spread(asking, turn, due_at, latest_at, window=window)
    if latest_at is not None and (due_at is None or due_at >= latest_at):
        is_closed_till_then = asking.is_evenly_spread and begins_at < latest_at
        due_at = _before_it_closes(asking, turn, latest_at, window, now) if is_closed_till_then else None
    return Appointment(due_at, latest_at)


def variant_for(asking: Asking, campaign_id: UUID, person: UUID) -> str | None:
    if not asking.variants:
        return None
    return pick_variant([one.weighted for one in asking.variants], seed=f"variant:{campaign_id}", person=person)


def _spread(
    asking: Asking, turn: Turn, starts_at: datetime, latest_at: datetime | None, *, window: SendingWindow
) -> datetime:
    """The person's own moment of the open time in the days that a wave is spread over."""
    last_day_ends_at = starts_at + timedelta(days=asking.spread_days)
    ends_at = last_day_ends_at if latest_at is None else min(last_day_ends_at, latest_at)
    share = fraction_of(f"moment:{turn.campaign_id}", turn.person)
    moment = open_moment(
        share, starts_at=starts_at, ends_at=ends_at, zone=turn.zone, window=window, blackouts=asking.common_blackouts
    )
    return moment or starts_at


def _before_it_closes(
    asking: Asking, turn: Turn, latest_at: datetime, window: SendingWindow, now: datetime
) -> datetime | None:
    """Of somebody whose own moment of a period comes when no hour is open any more: they have none in any period."""
    assert turn.wave is not None
    share = fraction_of(f"evenly:{turn.campaign_id}", turn.person)
    moment = open_moment(
        share, starts_at=turn.wave.starts_at, ends_at=latest_at, zone=turn.zone, window=window,
        blackouts=asking.common_blackouts,
    )  # fmt: skip
    if moment is None:
        return None
    due_at = next_open(max(moment, now), zone=turn.zone, window=window, blackouts=asking.common_blackouts)
    return due_at if due_at is not None and due_at < latest_at else None


def _bounds(asking: Asking, turn: Turn, window: SendingWindow, now: datetime) -> tuple[datetime, datetime | None]:
    """From when, and until when at the latest."""
    trigger = asking.trigger
    if isinstance(trigger, AfterTouchpoint) and turn.occurred_at is not None:
        due_at = turn.occurred_at + timedelta(minutes=trigger.delay_minutes)
        opens_at = next_open(due_at, zone=turn.zone, window=asking.window)  # until then nothing is late
        return max(due_at, now), (opens_at or due_at) + timedelta(hours=trigger.max_lateness_hours)
    if isinstance(trigger, OnDate) and turn.day is not None:
        due_at = due_on_date(trigger, turn.day, zone=turn.zone, window=window)
        return max(due_at, now), latest_for_date(trigger, due_at, zone=turn.zone)
    if turn.wave is None:
        return max(turn.not_before or now, now), None
    if asking.is_evenly_spread:
        return max(due_in(turn.wave, seed=f"evenly:{turn.campaign_id}", person=turn.person), now), turn.wave.ends_at
    return max(turn.wave.starts_at, now), turn.wave.ends_at
