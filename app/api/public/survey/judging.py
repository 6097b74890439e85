"""Whether what happens on a link is a person's doing, and what becomes of it if it is not."""

from datetime import datetime, timedelta

from fastapi import Request

from app.api.dependencies import services_of
from app.api.public.survey.opened import Opened
from app.config import Settings
from app.domain.survey.scanner import FlagReason, Hit, ScannerRules, is_program, suspicion
from app.operations.survey_links import flag_invitation


def judge(
    request: Request,
    opened: Opened,
    *,
    linked: int | None = None,
    sent: int | None = None,
    is_in_honeypot: bool = False,
    asked_again_at: datetime | None = None,
) -> FlagReason | None:
    """Of an act without a gesture."""
    services = services_of(request)
    hit = Hit(opened.now, linked, sent, is_program(request.headers.get("user-agent", "")), is_in_honeypot)
    hits = services.visits.note(opened.digest, hit)
    reason = suspicion(
        hits, rules=_rules(services.settings), mailed_at=opened.link.mailed_at, asked_again_at=asked_again_at
    )
    if reason is None and asked_again_at is not None:
        services.visits.note_gesture(opened.digest, opened.now)
    return reason


async def is_doubted(request: Request, opened: Opened, asked_again_at: datetime | None) -> bool:
    """Of a button that takes something back, on a page without a script. Also in a new workspace: to be asked once more
    costs a person little.
    """
    reason = judge(request, opened, asked_again_at=asked_again_at)
    if reason is not None:
        await keep_evidence(request, opened, reason, by_link=True)
    return reason is not None


def takes_out(request: Request, opened: Opened) -> bool:
    """Not in a new workspace: first one looks at what the rules would do."""
    log_only = timedelta(days=services_of(request).settings.scanner_log_only_days)
    return opened.now - opened.link.workspace_created_at >= log_only


async def keep_evidence(
    request: Request, opened: Opened, reason: FlagReason, *, by_link: bool = False, is_feigned: bool = False
) -> None:
    """`by_link`: a link was followed or a button pressed, which is evidence and changes no answer.
    `is_feigned`: gestures of this moment are a program's.
    """
    services = services_of(request)
    hits = services.visits.take_unwritten(opened.digest, opened.now)
    excludes = not by_link and _is_doubtful(request, opened, is_feigned=is_feigned) and takes_out(request, opened)
    if opened.link.is_anonymous or not (hits or excludes):
        return
    async with services.engine.write() as tx:
        await flag_invitation(tx, opened.link, reason, hits=hits, excludes=excludes, now=opened.now)


def _is_doubtful(request: Request, opened: Opened, *, is_feigned: bool) -> bool:
    """The answer there is came just now, and no person has moved since."""
    answered, window = opened.link.answered, _rules(services_of(request).settings).window
    if answered is None or answered.excluded_reason is not None or opened.now - answered.updated_at > window:
        return False
    return is_feigned or not services_of(request).visits.gestured_since(opened.digest, answered.answered_at - window)


def _rules(settings: Settings) -> ScannerRules:
    return ScannerRules(
        timedelta(seconds=settings.scanner_window_seconds),
        timedelta(seconds=settings.scanner_soonest_seconds),
        settings.scanner_link_scores,
        settings.scanner_sent_scores,
    )
