"""May this person be asked this now? One rule: for sending, for a dry run, and to explain it to whoever asks.

A decision looks at no clock and at nothing that can change while it is made: whoever sends holds the person's row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.asking.asking_parts import Journey
from app.domain.asking.blackouts import Blackouts
from app.domain.asking.sending_window import ALWAYS, SendingWindow, next_open

SOON = timedelta(days=14)  # what a more important campaign plans this near reserves a person
LOOK_AGAIN = timedelta(days=1)  # at what ends nobody knows when


class Reason(StrEnum):
    """Why somebody was not asked, or is not asked yet."""

    ERASED = "erased"
    NO_ADDRESS = "no_address"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ALREADY_ANSWERED = "already_answered"
    NOT_IN_AUDIENCE = "not_in_audience"  # not any more, when its turn came
    TOO_LATE = "too_late"  # what it was about is over
    CANCELLED = "cancelled"  # by a later touchpoint
    TRIGGER_CHANGED = "trigger_changed"  # the campaign asks after something else now
    DATE_MOVED = "date_moved"  # the date that it was about is another one now, or gone
    CAMPAIGN_NOT_RUNNING = "campaign_not_running"
    NOT_IN_WAVE = "not_in_wave"  # which began without them: by its sample, the most of an account, or they came later
    ENOUGH_KNOWN = "enough_known"  # of everybody, or of people like them
    NO_TURN = "no_turn"  # nothing has come that the campaign asks after, or they were asked about it
    NOT_DUE = "not_due"  # their turn comes later
    NOT_SAMPLED = "not_sampled"  # by a campaign that asks people one by one
    TOO_NEW = "too_new"  # here
    RENEWAL_NEAR = "renewal_near"
    FOLLOW_UP_OPEN = "follow_up_open"  # somebody looks after an answer of theirs, or of their account
    QUARANTINE = "quarantine"  # was asked too recently, by whichever campaign
    JOURNEY_GAP = "journey_gap"  # was asked too recently within the journey
    JOURNEY_FULL = "journey_full"  # was asked often enough within the journey
    RESERVED = "reserved"  # a more important campaign is about to ask
    WINDOW = "window"  # not at this hour, or on this day
    PACE = "pace"  # as many were sent as the campaign's caps allow


# What may be over from one day to the next: without it they would have been asked.
PASSING = (
    Reason.NO_ADDRESS,
    Reason.UNSUBSCRIBED,
    Reason.BOUNCED,
    Reason.COMPLAINED,
    Reason.NOT_IN_AUDIENCE,
    Reason.DATE_MOVED,
    Reason.TRIGGER_CHANGED,
)
# By the campaign's own rules, which an edit may loosen.
RULED = (
    Reason.TOO_LATE,
    Reason.TOO_NEW,
    Reason.RENEWAL_NEAR,
    Reason.FOLLOW_UP_OPEN,
    Reason.QUARANTINE,
    Reason.JOURNEY_GAP,
    Reason.JOURNEY_FULL,
    Reason.RESERVED,
    Reason.WINDOW,
)


@dataclass(frozen=True, slots=True)
class Send:
    pass


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before then; then it is decided anew."""

    until: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Skip:
    """Never, for this invitation."""

    reason: Reason


Decision = Send | Wait | Skip
SEND = Send()


@dataclass(frozen=True, slots=True)
class Ask:
    """That somebody was asked, by which journey's campaign, if any."""

    at: datetime
    journey: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What a decision has to know of somebody. `asked_at` is the latest of all asks, whoever made it; `asks` are those
    that are known one by one, and are needed within journeys only."""

    zone: ZoneInfo
    known_since: datetime | None = None
    has_address: bool = True
    erased_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    bounced_at: datetime | None = None
    complained_at: datetime | None = None
    renews_on: date | None = None  # their account
    has_open_follow_up: bool = False  # they, or their account
    asked_at: datetime | None = None
    asks: tuple[Ask, ...] = ()

    def asked(self, ask: Ask) -> "Person":
        return replace(self, asked_at=ask.at, asks=(*self.asks, ask))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a campaign demands of every ask."""

    is_running: bool = True
    needs_address: bool = True  # of mail
    one_answer_each: bool = False
    quarantine: timedelta = timedelta(days=90)
    journey: Journey | None = None
    window: SendingWindow = ALWAYS
    blackouts: Blackouts = ()  # those that hold for this person
    exclude_newer_than_days: int | None = None
    hold_renewal_within_days: int | None = None
    hold_open_follow_up: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ask itself. `reserved_for_at`: when a more important campaign is to ask the same person, if it soon is and
    could not after this."""

    is_reminder: bool = False
    latest_at: datetime | None = None
    answered_at: datetime | None = None  # the person's last answer to the campaign
    planned_at: datetime | None = None
    is_in_audience: bool = True
    is_listed: bool = True  # on the list, where the campaign has one
    is_enough_known: bool = False  # of everybody, or of people like them
    is_date_moved: bool = False
    is_of_another_trigger: bool = False
    is_called_off: bool = False  # the touchpoint it is about
    reserved_for_at: datetime | None = None


def decide(person: Person, wanted: Wanted, rules: Rules, now: datetime) -> Decision:
    never = next(_never(person, wanted, rules, now), None)
    if never is not None:
        return Skip(never)
    wait = max(_waits(person, wanted, rules, now), key=lambda one: one.until, default=None)
    if wait is None:
        return _at_an_open_hour(person, wanted, rules, now)
    opens_at = next_open(wait.until, zone=person.zone, window=rules.window, blackouts=rules.blackouts)
    if opens_at is None or (wanted.latest_at is not None and opens_at >= wanted.latest_at):
        return Skip(wait.reason)
    return Wait(opens_at, wait.reason)


def later_of(decision: Decision, turn: Decision | None) -> Decision:
    """What holds somebody back, and what is said of their turn: whichever keeps them for longer. None: it has come."""
    if turn is None or isinstance(decision, Skip):
        return decision
    if isinstance(turn, Wait) and isinstance(decision, Wait):
        return max(decision, turn, key=lambda wait: wait.until)
    return turn


def _never(person: Person, wanted: Wanted, rules: Rules, now: datetime) -> Iterator[Reason]:
    """An audience is judged for first mails only: being asked takes people out of one that is about whom was asked."""
    yield from _suppressed(person, needs_address=rules.needs_address)
    if _has_answered(wanted, rules):
        yield Reason.ALREADY_ANSWERED
    if not rules.is_running:
        yield Reason.CAMPAIGN_NOT_RUNNING
    if not wanted.is_listed or not (wanted.is_in_audience or wanted.is_reminder):
        yield Reason.NOT_IN_AUDIENCE
    if wanted.is_enough_known and not wanted.is_reminder:
        yield Reason.ENOUGH_KNOWN
    yield from _outlived(wanted, now)


def _outlived(wanted: Wanted, now: datetime) -> Iterator[Reason]:
    """What it was about is no more."""
    if wanted.is_called_off:
        yield Reason.CANCELLED
    if wanted.is_of_another_trigger:
        yield Reason.TRIGGER_CHANGED
    if wanted.is_date_moved:
        yield Reason.DATE_MOVED
    if wanted.latest_at is not None and now >= wanted.latest_at:
        yield Reason.TOO_LATE


def _suppressed(person: Person, *, needs_address: bool) -> Iterator[Reason]:
    if person.erased_at is not None:
        yield Reason.ERASED
    if person.unsubscribed_at is not None:
        yield Reason.UNSUBSCRIBED
    if person.complained_at is not None:
        yield Reason.COMPLAINED
    if needs_address and not person.has_address:
        yield Reason.NO_ADDRESS
    if needs_address and person.bounced_at is not None:
        yield Reason.BOUNCED


def _has_answered(wanted: Wanted, rules: Rules) -> bool:
    if wanted.answered_at is None:
        return False
    return rules.one_answer_each or (wanted.planned_at is not None and wanted.answered_at >= wanted.planned_at)


def _waits(person: Person, wanted: Wanted, rules: Rules, now: datetime) -> Iterator[Wait]:
    """Reminders belong to an ask that was allowed: of these only what the account is busy with holds them back."""
    yield from _waits_for_the_account(person, rules, now)
    if wanted.is_reminder:
        return
    if person.known_since is not None and rules.exclude_newer_than_days:
        old_enough_at = person.known_since + timedelta(days=rules.exclude_newer_than_days)
        if old_enough_at > now:
            yield Wait(old_enough_at, Reason.TOO_NEW)
    free = Wait(*_free_from(person, rules, now))
    if free.until > now:
        yield free
    if wanted.reserved_for_at is not None and wanted.reserved_for_at <= now + SOON:
        yield Wait(max(wanted.reserved_for_at, now) + timedelta(minutes=1), Reason.RESERVED)


def _waits_for_the_account(person: Person, rules: Rules, now: datetime) -> Iterator[Wait]:
    days = rules.hold_renewal_within_days
    if days is not None and person.renews_on is not None:
        today = now.astimezone(person.zone).date()
        if today <= person.renews_on <= today + timedelta(days=days):
            yield Wait(now + timedelta(days=(person.renews_on - today).days + 1), Reason.RENEWAL_NEAR)
    if rules.hold_open_follow_up and person.has_open_follow_up:
        yield Wait(now + LOOK_AGAIN, Reason.FOLLOW_UP_OPEN)


def _free_from(person: Person, rules: Rules, now: datetime) -> tuple[datetime, Reason]:
    """When the quarantine, and what replaces it within a journey, are over."""
    if rules.journey is None:
        return _end(person.asked_at, rules.quarantine, now), Reason.QUARANTINE
    own = sorted(ask.at for ask in person.asks if ask.journey == rules.journey.name)
    frees = [
        (_end(_asked_outside(person, own, rules.journey), rules.quarantine, now), Reason.QUARANTINE),
        (_end(own[-1] if own else None, rules.journey.least_gap, now), Reason.JOURNEY_GAP),
        (_room_from(own, rules.journey.most_per_person, rules.quarantine, now), Reason.JOURNEY_FULL),
    ]
    return max(frees, key=lambda free: free[0])


def _asked_outside(person: Person, own: Sequence[datetime], journey: Journey) -> datetime | None:
    """The last ask that does not belong to the journey. What is known of nobody's invitation belongs to none."""
    outside = [ask.at for ask in person.asks if ask.journey != journey.name]
    if person.asked_at is not None and person.asked_at not in own:
        outside.append(person.asked_at)
    return max(outside, default=None)


def _room_from(own: Sequence[datetime], most: int, within: timedelta, now: datetime) -> datetime:
    recent = [at for at in own if at + within > now]
    return recent[-most] + within if len(recent) >= most else now


def _end(since: datetime | None, length: timedelta, now: datetime) -> datetime:
    return now if since is None else max(since + length, now)


def _at_an_open_hour(person: Person, wanted: Wanted, rules: Rules, now: datetime) -> Decision:
    opens_at = next_open(now, zone=person.zone, window=rules.window, blackouts=rules.blackouts)
    if opens_at == now:
        return SEND
    if opens_at is None or (wanted.latest_at is not None and opens_at >= wanted.latest_at):
        return Skip(Reason.WINDOW)
    return Wait(opens_at, Reason.WINDOW)
