"""The whole survey to walk through, by whoever makes it. Where one is stands in the address, and nowhere else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import services_of
from app.api.public.survey.forms import one, read_form, score_in
from app.api.public.survey.opened import Opened, UnknownLink, language_of
from app.api.public.survey.questions import go, left_to_ask, take_more
from app.api.public.survey.shell import PRIVATE, message
from app.api.public.survey.shown import ask, shown
from app.api.public.survey.unsubscribing import ask_to_leave, say_left
from app.api.public.survey.words import words_for
from app.clock import utc_now
from app.domain.survey.answers import AnswersInvalid, check_answers
from app.domain.survey.brand import Brand
from app.domain.survey.questions import Answer
from app.domain.survey.survey_link import LinkState
from app.domain.survey.survey_preview import LONGEST_TOKEN, PLACE, read_preview
from app.domain.survey.survey_token import token_digest
from app.queries.survey_links import Answered, Link
from app.queries.survey_previews import NOTHING, find_previewed

STATES = {LinkState.SETTLED, LinkState.EXPIRED, LinkState.ENDED}  # that one does not come to by walking
SAYS = {"not_me": "not_me_done", "return": "returned"}  # what a form's field leads to


async def show_preview(token: str, request: Request) -> Response:
    opened = await _open(request, token, request.query_params)
    if "leave" in request.query_params:
        return ask_to_leave(request, opened)
    return await shown(request, opened, score_in(request.query_params.get("score"), opened.metric))


async def answer_preview(token: str, request: Request) -> Response:
    form = await read_form(request)
    opened = await _open(request, token, {**request.query_params, "lang": one(form, "lang")})
    if one(form, "leave"):
        return say_left(request, opened)
    for field, said in SAYS.items():
        if one(form, field):
            return message(request, said, language=opened.language, brand=opened.brand)
    if one(form, "part") == "more":
        return await take_more(request, opened, form)
    score = score_in(one(form, "score"), opened.metric)
    if score is None:
        wrong = words_for(opened.language).texts["choose"]
        may_contact = one(form, "may_contact") == "yes"
        return ask(request, opened, None, wrong=wrong, comment=one(form, "comment"), may_contact=may_contact)
    after = _with(opened, _answered(opened, score, {}))
    return go(after, "more" if left_to_ask(after) else "thanks")


async def take_preview_sign(token: str, request: Request) -> Response:
    """The page says what it would say."""
    form = await read_form(request)
    opened = await _open(request, token, {})
    is_score = one(form, "sign") != "seen" and score_in(one(form, "score"), opened.metric) is not None
    return Response(status_code=200 if is_score else 204, headers=PRIVATE)


async def _open(request: Request, token: str, params: Mapping[str, str]) -> Opened:
    """Raises UnknownLink, `Refused` 429."""
    services, now, digest = services_of(request), utc_now(), token_digest(token)
    services.link_rate_limit.spend(UUID(bytes=digest[:16]))
    key = await services.survey_link_key.read()
    previewed = read_preview(key, token, now=now) if len(token) <= LONGEST_TOKEN else None
    if previewed is None:
        raise UnknownLink
    async with services.engine.read() as tx:
        link = await find_previewed(tx, previewed, now=now)
    if link is None:
        raise UnknownLink
    brand = Brand.of(link.brand, workspace_name=link.workspace_name)
    language = language_of(link, request, {"lang": params.get("lang") or previewed.language or ""})
    opened = _where(Opened(link, token, digest, language, brand, now, None, LinkState.OPEN, root=PLACE), params)
    request.state.preview = _places(opened)
    return opened


def _where(opened: Opened, params: Mapping[str, str]) -> Opened:
    """What was answered on the way here."""
    score = score_in(params.get("given"), opened.metric)
    if score is not None:
        opened = _with(opened, _answered(opened, score, _said(opened.link, params.get("said", ""))))
    wanted = params.get("state")
    return replace(opened, state=LinkState(wanted)) if wanted in STATES else opened


def _said(link: Link, text: str) -> dict[str, Answer]:
    try:
        said = json.loads(text)
        return check_answers(link.survey.questions, said) if isinstance(said, dict) else {}
    except (ValueError, RecursionError, AnswersInvalid):
        return {}


def _answered(opened: Opened, score: int, answers: Mapping[str, Answer]) -> Answered:
    return Answered(
        id=NOTHING, score=score, certainty="confirmed", answers=answers, language=opened.language, has_comment=False,
        may_contact=None, part_number=0, excluded_reason=None, answered_at=opened.now, updated_at=opened.now,
    )  # fmt: skip


def _with(opened: Opened, answered: Answered) -> Opened:
    return replace(opened, link=replace(opened.link, answered=answered), state=LinkState.ANSWERED)


def _places(opened: Opened) -> list[dict[str, Any]]:
    """Every page there is, one link each; those of thanks by band, with its highest score."""
    words = words_for(opened.language).texts
    tops = {opened.metric.band_for(score): score for score in opened.metric.scores}
    thanks = [(f"{words['thanks']} ({score})", f"&given={score}&thanks") for score in tops.values()]
    top = max(tops.values())
    return [
        {"text": text, "path": f"{opened.path}?lang={opened.language}{query}"}
        for text, query in (
            (words["preview_start"], ""), *thanks, (words["answered"], f"&given={top}"),
            (words["settled_text"], f"&given={top}&state=settled"), (words["expired"], "&state=expired"),
            (words["ended"], "&state=ended"), (words["leave"], "&leave"),
        )
    ]  # fmt: skip
