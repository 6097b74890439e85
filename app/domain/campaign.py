"""The life of a campaign: its states, the moves between them, and what each state allows.

    draft ─launch→ scheduled | running ⇄ paused ─complete→ completed ─archive→ archived

Pausing and completing stop the asking, never the answering.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from app.domain.errors import Conflict, NotFound, RuleViolation


class CampaignState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    ARCHIVED = "archived"


class CampaignKind(StrEnum):
    RELATIONSHIP = "relationship"  # asked on a calendar
    TRANSACTIONAL = "transactional"  # asked after an event


class CampaignMove(StrEnum):
    LAUNCH = "launch"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    ARCHIVE = "archive"


class CampaignNotFound(NotFound):
    """There is no such campaign."""

    code = "campaign_not_found"


class CampaignMoveRefused(Conflict):
    """The campaign cannot make this move."""

    code = "campaign_move_refused"


class CampaignFieldFixed(Conflict):
    """The field can no longer be changed."""

    code = "campaign_field_fixed"


class CampaignNotAccepting(Conflict):
    """The campaign does not accept answers."""

    code = "campaign_not_accepting"


class CampaignIsAnonymous(RuleViolation):
    """The campaign is anonymous, and nothing may lead to a person."""

    code = "campaign_is_anonymous"


class CampaignEndsBeforeStart(RuleViolation):
    """The campaign ends before it starts."""

    code = "campaign_ends_before_start"


NAMES_NOBODY = "Answers to an anonymous campaign name nobody: leave the recipient out."

ALLOWED_FROM: Mapping[CampaignMove, frozenset[CampaignState]] = MappingProxyType(
    {
        CampaignMove.LAUNCH: frozenset({CampaignState.DRAFT}),
        CampaignMove.PAUSE: frozenset({CampaignState.RUNNING, CampaignState.SCHEDULED}),
        CampaignMove.RESUME: frozenset({CampaignState.PAUSED}),
        CampaignMove.COMPLETE: frozenset({CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.SCHEDULED}),
        CampaignMove.ARCHIVE: frozenset({CampaignState.COMPLETED, CampaignState.DRAFT}),
    }
)
# A scheduled campaign asks nobody yet, but answers may already come in by the API.
ACCEPTS_ANSWERS = frozenset(
    {CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.COMPLETED}
)
FIXED_AT_LAUNCH = frozenset({"metric", "kind", "is_anonymous"})
FIXED_AT_START = frozenset({"starts_at"})  # waves are counted from it


def moves_from(state: CampaignState) -> list[CampaignMove]:
    return [move for move in CampaignMove if state in ALLOWED_FROM[move]]


def moved(
    state: CampaignState,
    move: CampaignMove,
    *,
    now: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> CampaignState:
    """The state after a move that somebody asked for. Raises CampaignMoveRefused."""
    if state not in ALLOWED_FROM[move]:
        allowed = moves_from(state)
        could = f"It could {' or '.join(allowed)}." if allowed else "Nothing moves it any more."
        raise CampaignMoveRefused(f"This campaign is {state} and cannot {move}. {could}", state=state, allowed=allowed)
    match move:
        case CampaignMove.LAUNCH | CampaignMove.RESUME:
            return _begun(state, move, now=now, starts_at=starts_at, ends_at=ends_at)
        case CampaignMove.PAUSE:
            return CampaignState.PAUSED
        case CampaignMove.COMPLETE:
            return CampaignState.COMPLETED
        case CampaignMove.ARCHIVE:
            return CampaignState.ARCHIVED


def _begun(
    state: CampaignState, move: CampaignMove, *, now: datetime, starts_at: datetime | None, ends_at: datetime | None
) -> CampaignState:
    if ends_at is not None and ends_at <= now:
        detail = f"This campaign's end has passed, so it cannot {move}. Move the end first."
        allowed = [other for other in moves_from(state) if other is not move]
        raise CampaignMoveRefused(detail, state=state, allowed=allowed)
    return CampaignState.SCHEDULED if starts_at is not None and starts_at > now else CampaignState.RUNNING


def state_due(
    state: CampaignState, *, now: datetime, starts_at: datetime | None, ends_at: datetime | None
) -> CampaignState:
    """The state that time alone has brought about; the same state when there is nothing to do.

    A paused campaign stays paused past its end: a person stopped it, so a person decides what becomes of it.
    """
    if state not in {CampaignState.SCHEDULED, CampaignState.RUNNING}:
        return state
    if ends_at is not None and ends_at <= now:
        return CampaignState.COMPLETED
    has_started = state is CampaignState.RUNNING or starts_at is None or starts_at <= now
    return CampaignState.RUNNING if has_started else CampaignState.SCHEDULED


def check_accepts_answers(state: CampaignState) -> None:
    """Raises CampaignNotAccepting."""
    if state not in ACCEPTS_ANSWERS:
        hint = "Launch it first." if state is CampaignState.DRAFT else "It has been put away."
        raise CampaignNotAccepting(f"This campaign is {state}. {hint}", state=state)


def check_edit(state: CampaignState, *, changed: Collection[str], has_started: bool = False) -> None:
    """`changed` names the fields whose value would be another one. Raises CampaignFieldFixed."""
    if state is CampaignState.DRAFT:
        return
    fixed, when = FIXED_AT_LAUNCH.intersection(changed), "is launched"
    if state is CampaignState.ARCHIVED:
        fixed, when = frozenset(changed), "is archived"
    elif has_started and not fixed:
        fixed, when = FIXED_AT_START.intersection(changed), "has started"
    if fixed:
        names = sorted(fixed)
        detail = f"Fixed once a campaign {when}: {', '.join(names)}."
        raise CampaignFieldFixed(detail, pointer=f"/{names[0]}", state=state, fields=names)


def check_dates(*, starts_at: datetime | None, ends_at: datetime | None) -> None:
    """Raises CampaignEndsBeforeStart."""
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise CampaignEndsBeforeStart("A campaign ends after it starts.", pointer="/ends_at")
