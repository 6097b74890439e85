"""A personal link that somebody has opened: whose it is, what it asks, and in which language."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import Request

from app.api.dependencies import services_of
from app.clock import utc_now
from app.domain.campaign import CampaignState
from app.domain.mail.trial_mail import NOWHERE
from app.domain.response import Certainty
from app.domain.scores.metric import METRICS, Metric
from app.domain.scores.period import zone_named
from app.domain.survey.brand import Brand
from app.domain.survey.questions import QuestionKind
from app.domain.survey.survey import pick_language
from app.domain.survey.survey_link import TAKEN_OUT_BY_LINK, Confirmation, LinkState, Sign, act_number, link_state
from app.domain.survey.survey_preview import PLACE as PREVIEWS
from app.domain.survey.survey_token import anonymous_reference, is_survey_token, proof_of_answering, token_digest
from app.queries.survey_links import Link, find_anonymous_answer, find_link


class UnknownLink(Exception):
    """No invitation has this token."""


class TrialLink(Exception):
    """It stood in a mail that was only to be looked at."""


@dataclass(frozen=True, slots=True)
class Opened:
    link: Link
    token: str
    digest: bytes
    language: str
    brand: Brand
    now: datetime
    client_ref: UUID | None  # of an anonymous campaign
    state: LinkState
    root: str = "/s"
    mine: str = ""  # the proof that whoever looks gave the anonymous answer that stands

    @property
    def path(self) -> str:
        return f"{self.root}/{self.token}"

    @property
    def is_preview(self) -> bool:
        return self.root == PREVIEWS

    @property
    def leave_path(self) -> str:
        return f"{self.path}?lang={self.language}&leave" if self.is_preview else f"/u/{self.token}"

    @property
    def is_theirs(self) -> bool:
        """Whoever looks may see the answer. To have an anonymous link is no proof: others made it, or read the mail."""
        return not self.link.is_anonymous or self.is_preview or bool(self.mine)

    @property
    def carried(self) -> dict[str, str]:
        """What the addresses of pages tell each other. Of a preview everything but what was written, since nothing else
        knows.
        """
        answered = self.link.answered
        if not self.is_preview or answered is None:
            return {"mine": self.mine} if self.mine else {}
        kinds = {question.id: question.kind for question in self.link.survey.questions}
        said = {
            key: "…" if answer and kinds.get(key) is QuestionKind.TEXT else answer
            for key, answer in answered.answers.items()
        }
        return {"given": str(answered.score), "said": json.dumps(said, separators=(",", ":"))}

    @property
    def metric(self) -> Metric:
        return METRICS[self.link.metric]

    @property
    def noted_at(self) -> datetime:
        """What may be written down of the time: of an anonymous answer, when its day began where the workspace is."""
        if not self.link.is_anonymous:
            return self.now
        local = self.now.astimezone(zone_named(self.link.time_zone))
        return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    @property
    def confirmation(self) -> Confirmation:
        email = self.link.asking.get("email")
        given = email.get("confirmation") if isinstance(email, dict) else None
        return Confirmation(given) if given in list(Confirmation) else Confirmation.AUTO

    @property
    def is_certain(self) -> bool:
        return _is_certain(self.link)


async def open_link(request: Request, token: str, params: Mapping[str, str], *, to_leave: bool = False) -> Opened:
    """Raises UnknownLink, TrialLink, and `Refused` 429 where one link, or one place without any, asks too often."""
    if token == NOWHERE:
        raise TrialLink
    services, now = services_of(request), utc_now()
    digest = token_digest(token)
    link = await _find(request, digest, to_leave=to_leave) if is_survey_token(token) else None
    if link is None:
        services.link_rate_limit.spend(_place(request))
        raise UnknownLink
    services.link_rate_limit.spend(UUID(bytes=digest[:16]))
    client_ref, mine = None, ""
    if link.is_anonymous:
        client_ref = anonymous_reference(await services.survey_link_key.read(), token)
        link = await _with_anonymous_answer(request, link, client_ref)
        mine = await _proof(request, link, token, params.get("mine", ""))
    brand = Brand.of(link.brand, workspace_name=link.workspace_name)
    language = language_of(link, request, params)
    days = services.settings.answer_change_days if not link.is_anonymous else 1
    state = _state(link, now=now, change_for=timedelta(days=days))
    return Opened(link, token, digest, language, brand, now, client_ref, state, mine=mine)


def as_seen(opened: Opened) -> Opened:
    """As pages may show it: whoever else has an anonymous link sees not even whether it was answered."""
    if opened.is_theirs:
        return opened
    link = replace(opened.link, answered=None)
    return replace(opened, link=link, state=_state(link, now=opened.now, change_for=timedelta()))


def language_of(link: Link, request: Request, params: Mapping[str, str]) -> str:
    """What they chose, what they answered in, what we know of them, what their browser says; else the survey's own."""
    survey, chosen = link.survey, params.get("lang", "")
    if chosen in survey.languages:
        return chosen
    if link.answered is not None and link.answered.language in survey.languages:
        return link.answered.language or survey.default_language
    if link.locale:
        return pick_language(survey, wanted=link.locale.replace("_", "-"))
    spoken = {language.partition("-")[0] for language in survey.languages}
    wanted = next((tag for tag in accepted_languages(request) if tag.partition("-")[0] in spoken), None)
    return pick_language(survey, wanted=wanted)


async def proof_of_next(request: Request, opened: Opened) -> str:
    """For whoever sends the next part of this anonymous answer."""
    if not opened.link.is_anonymous:
        return ""
    key = await services_of(request).survey_link_key.read()
    return proof_of_answering(key, opened.token, next_part(opened.link))


def number_of(opened: Opened, sign: Sign, *, done_at: int | None = None) -> int:
    """Of an act on its page, to put it in order."""
    last = opened.link.answered.part_number if opened.link.answered else 0
    return act_number(sign, done_at=done_at, last=last, now=opened.now)


def next_part(link: Link) -> int:
    return (link.answered.part_number if link.answered else 0) + 1


def accepted_languages(request: Request) -> list[str]:
    """As the browser lists them; whoever sends weights sends them in order."""
    header = request.headers.get("accept-language", "")[:200]
    return [tag for part in header.split(",") if (tag := part.partition(";")[0].strip()) and tag != "*"]


async def _find(request: Request, digest: bytes, *, to_leave: bool) -> Link | None:
    async with services_of(request).engine.read() as tx:
        return await find_link(tx, digest, to_leave=to_leave)


async def _with_anonymous_answer(request: Request, link: Link, client_ref: UUID) -> Link:
    async with services_of(request).engine.read() as tx:
        answered = await find_anonymous_answer(tx, link.workspace_id, link.campaign_id, client_ref)
    return replace(link, answered=answered)


async def _proof(request: Request, link: Link, token: str, said: str) -> str:
    """What was said, where it proves anything."""
    if not said or link.answered is None:
        return ""
    key = await services_of(request).survey_link_key.read()
    wanted = proof_of_answering(key, token, link.answered.part_number)
    return said if hmac.compare_digest(said.encode(), wanted.encode()) else ""


def _place(request: Request) -> UUID:
    host = request.client.host if request.client else ""
    return UUID(bytes=token_digest(host)[:16])


def _state(link: Link, *, now: datetime, change_for: timedelta) -> LinkState:
    return link_state(
        campaign=CampaignState(link.campaign_state),
        expires_at=link.expires_at,
        is_expired=link.state == "expired",
        answered_at=link.answered.answered_at if link.answered else None,
        is_certain=_is_certain(link),
        change_for=change_for,
        now=now,
    )


def _is_certain(link: Link) -> bool:
    answered = link.answered
    return (
        answered is not None
        and answered.certainty == Certainty.CONFIRMED
        and answered.excluded_reason not in TAKEN_OUT_BY_LINK
    )
