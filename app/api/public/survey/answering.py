"""From an act on a survey page to a response."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import StrEnum

from fastapi import Request
from pydantic_core import to_json

from app.api.dependencies import services_of
from app.api.public.survey.anonymous_marks import ENOUGH
from app.api.public.survey.judging import judge, keep_evidence, takes_out
from app.api.public.survey.opened import Opened, next_part, number_of
from app.db.identifiers import new_id
from app.domain.response import Certainty, Channel, IfAnswered
from app.domain.survey.questions import Answer
from app.domain.survey.scanner import FlagReason
from app.domain.survey.survey_link import NOT_ME, SCANNER, TAKEN_OUT_BY_LINK, Sign, certainty_of, may_replace
from app.operations.responses.new_response import NewResponse
from app.operations.survey_links import ACTOR, flag_invitation, mark_answered, note_page_opened, readmit_answer


class Outcome(StrEnum):
    STANDS = "stands"
    DOUBTED = "doubted"  # it does not count: a program may have done it
    KEPT = "kept"  # what stood there before still does


@dataclass(frozen=True, slots=True)
class Act:
    """`is_gestured`: with the sign of a gesture. `is_in_honeypot`: with what no person can see filled in."""

    sign: Sign
    score: int
    _: KW_ONLY
    is_gestured: bool = False
    is_in_honeypot: bool = False
    comment: str | None = None
    withdraws_comment: bool = False
    may_contact: bool | None = None
    answers: Mapping[str, Answer] | None = None
    asked_again_at: datetime | None = None
    done_at: int | None = None  # in milliseconds, by the clock of the page

    @property
    def is_moved(self) -> bool:
        """As a person moves."""
        return self.is_gestured and not self.is_in_honeypot

    @property
    def is_feigned(self) -> bool:
        return self.is_gestured and self.is_in_honeypot


async def take_answer(request: Request, opened: Opened, act: Act) -> Outcome:
    """Raises what recording raises."""
    certainty = certainty_of(act.sign, confirmation=opened.confirmation)
    services, number = services_of(request), number_of(opened, act.sign, done_at=act.done_at)
    is_late = act.sign is not Sign.SEND and services.visits.is_overtaken(opened.digest, number)
    is_disowned = act.sign is Sign.DWELL and services.visits.is_disowned(opened.digest)
    if certainty is None or is_late or is_disowned or not _may_stand(opened, act):
        return Outcome.KEPT
    reason = _doubt(request, opened, act)
    is_out = reason is not None and takes_out(request, opened)
    if reason is not None and is_out and (opened.link.answered or opened.link.is_anonymous):
        # What a person said before stays as it is.
        await keep_evidence(request, opened, reason, is_feigned=act.is_feigned)
        return Outcome.DOUBTED
    services.visits.note_act(opened.digest, number)
    response = _new_response(opened, act, certainty, number)
    recorded = await services.recorder.submit(opened.link.workspace_id, response)
    if recorded.score != act.score:
        return Outcome.KEPT  # another process has heard of something later
    await _settle(request, opened, act, reason)
    return Outcome.DOUBTED if is_out else Outcome.STANDS


def _may_stand(opened: Opened, act: Act) -> bool:
    answered = opened.link.answered
    if act.sign is Sign.DWELL and answered is not None and answered.excluded_reason == NOT_ME:
        return False
    if not opened.is_certain or answered is None:
        return True
    if not opened.is_theirs and act.sign not in {Sign.CHANGE, Sign.SEND}:
        return False  # or whether it stands would tell whether it is the same score
    was_moved = opened.link.gestured_at is not None and not act.is_moved
    return may_replace(act.sign, recorded=answered.score, score=act.score, was_moved=was_moved)


def _doubt(request: Request, opened: Opened, act: Act) -> FlagReason | None:
    if act.is_moved:
        services_of(request).visits.note_gesture(opened.digest, opened.now)
        return None
    sent = act.score if act.sign is Sign.SEND else None
    return judge(request, opened, sent=sent, is_in_honeypot=act.is_in_honeypot, asked_again_at=act.asked_again_at)


async def _settle(request: Request, opened: Opened, act: Act, reason: FlagReason | None) -> None:
    """Nothing is written of most people: they are known to have opened the page, and nobody doubted them."""
    link, services = opened.link, services_of(request)
    if link.is_anonymous:
        await _mark_answered(request, opened)
        return
    is_first = link.page_opened_at is None or (act.is_moved and link.gestured_at is None)
    is_back = reason is None and _was_doubted(opened, act)
    if not (reason or is_first or is_back):
        return
    async with services.engine.write() as tx:
        if is_back:
            await readmit_answer(tx, link, now=opened.now)
        if reason is not None:
            hits, excludes = services.visits.take_unwritten(opened.digest, opened.now), takes_out(request, opened)
            await flag_invitation(tx, link, reason, hits=hits, excludes=excludes, now=opened.now)
        elif is_first:
            await note_page_opened(tx, link, now=opened.now, is_moved=act.is_moved)


def _was_doubted(opened: Opened, act: Act) -> bool:
    """And is no more, by this act. Looking at the page is enough only where it is about an answer."""
    link = opened.link
    reason = link.answered.excluded_reason if link.answered else None
    if act.sign is Sign.DWELL:
        return reason == SCANNER
    return (act.is_moved or act.sign is Sign.SEND) and (link.flag_reason is not None or reason in TAKEN_OUT_BY_LINK)


async def _mark_answered(request: Request, opened: Opened) -> None:
    services, link = services_of(request), opened.link
    waiting = services.anonymous_marks.add(link.campaign_id, link.invitation_id)
    if waiting:
        async with services.engine.write() as tx:
            unmarked = await mark_answered(tx, link.workspace_id, waiting, at_least=ENOUGH, at=opened.noted_at)
        services.anonymous_marks.settle(link.campaign_id, set(waiting) - unmarked)


def _channel(opened: Opened) -> Channel:
    """Anonymous answers all come by link: one person alone may have been given theirs by hand, the others by mail."""
    is_told = opened.link.channel == "email" and not opened.link.is_anonymous
    return Channel.EMAIL if is_told else Channel.LINK


def _new_response(opened: Opened, act: Act, certainty: Certainty, number: int) -> NewResponse:
    """The number of an anonymous answer says nothing of the time."""
    at = opened.noted_at
    response = NewResponse(
        workspace_id=opened.link.workspace_id,
        id=new_id(at),
        event_id=new_id(at),
        campaign_id=opened.link.campaign_id,
        score=act.score,
        channel=_channel(opened),
        answered_at=at,
        received_at=at,
        comment=act.comment,
        withdraws_comment=act.withdraws_comment,
        asked_version=opened.link.survey_version,
        wave=opened.link.wave,
        variant=opened.link.variant,
        certainty=certainty,
        answers=to_json(act.answers).decode() if act.answers is not None else None,
        if_answered=IfAnswered.AMEND,
        actor=ACTOR,
    )
    if opened.link.is_anonymous:
        response.client_ref = opened.client_ref
        response.number_part(next_part(opened.link))
    else:
        response.invitation_id, response.recipient_id = opened.link.invitation_id, opened.link.recipient_id
        response.language, response.may_contact = opened.language, act.may_contact
        response.properties = to_json(opened.link.occasion_properties).decode()
        response.number_part(number)
    return response
