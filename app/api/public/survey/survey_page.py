"""The page of a personal link. Showing it writes no answer, whoever asks for it; a form or the page's script does."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRouter
from starlette.responses import RedirectResponse, Response

from app.api.dependencies import services_of
from app.api.public.survey.survey_answering import Act, take_answer
from app.api.public.survey.survey_forms import Form, one, read_form, score_in, sign_in, text_in
from app.api.public.survey.survey_judging import judge, keep_evidence
from app.api.public.survey.survey_logo import LOGO_PATH, serve_logo
from app.api.public.survey.survey_opened import Opened, open_link
from app.api.public.survey.survey_questions import left_to_ask, show_more, take_more
from app.api.public.survey.survey_rewards import give_reward, reward_view
from app.api.public.survey.survey_route import SurveyRoute, in_background
from app.api.public.survey.survey_shell import PRIVATE, message, page
from app.api.public.survey.survey_static import serve_survey_icon, serve_survey_script, serve_survey_style
from app.api.public.survey.survey_views import ask_view, at, thanks_view, who
from app.api.public.survey.survey_words import words_for
from app.api.public.unsubscribe_page import show_unsubscribe, unsubscribe
from app.domain.survey.survey_link import LinkState, Sign
from app.operations.survey_links import disown_answer, note_page_opened

CLOSED = {LinkState.EXPIRED: "expired", LinkState.ENDED: "ended"}
MAY_ANSWER = {LinkState.OPEN, LinkState.ANSWERED}


def include_survey_pages(app: FastAPI) -> None:
    shown = APIRouter(route_class=SurveyRoute, include_in_schema=False)
    shown.api_route("/s/{token}", methods=["GET", "HEAD"])(show_survey)
    shown.post("/s/{token}")(answer_survey)
    shown.post("/s/{token}/signs")(take_sign)
    shown.api_route("/u/{token}", methods=["GET", "HEAD"])(show_unsubscribe)
    shown.post("/u/{token}")(unsubscribe)
    shown.api_route(LOGO_PATH, methods=["GET", "HEAD"])(serve_logo)
    shown.get("/s/static/{digest}/survey.js")(serve_survey_script)
    shown.get("/s/static/{digest}/icon.svg")(serve_survey_icon)
    shown.get("/s/static/{digest}/{accent}.css")(serve_survey_style)
    app.include_router(shown)


async def show_survey(token: str, request: Request) -> Response:
    opened = await open_link(request, token, request.query_params)
    linked = score_in(request.query_params.get("score"), opened.metric)
    reason = judge(request, opened, linked=linked)
    response = await _shown(request, opened, linked)
    if reason is not None:
        return in_background(response, keep_evidence(request, opened, reason, by_link=True))
    return response


async def answer_survey(token: str, request: Request) -> Response:
    form = await read_form(request)
    opened = await open_link(request, token, {"lang": one(form, "lang")})
    if one(form, "not_me"):
        return await _disown(request, opened)
    if opened.state not in MAY_ANSWER:
        return await _shown(request, opened, None)
    if one(form, "part") == "more":
        return await take_more(request, opened, form)
    score = score_in(one(form, "score"), opened.metric)
    if score is None:
        wrong = words_for(opened.language).texts["choose"]
        return _ask(request, opened, None, wrong=wrong, comment=text_in(one(form, "comment")) or "")
    await take_answer(request, opened, _sent(opened, form, score))
    after = await open_link(request, token, {"lang": opened.language})
    await give_reward(request, after)
    return go(after, "more" if left_to_ask(after) else "thanks")


async def take_sign(token: str, request: Request) -> Response:
    """200: the score stands now. 204: it was only noted, or nothing was to be done."""
    form = await read_form(request)
    sign = sign_in(one(form, "sign"))
    opened = await open_link(request, token, {"lang": one(form, "lang")})
    score = score_in(one(form, "score"), opened.metric)
    stands = False
    if sign is Sign.SEEN and not opened.link.is_anonymous and opened.link.page_opened_at is None:
        await _note_seen(request, opened)
    elif sign is not None and score is not None and opened.state in MAY_ANSWER:
        is_moved = sign in {Sign.GESTURE, Sign.CHANGE}
        stands = await take_answer(request, opened, Act(sign, score, is_moved))
    return Response(status_code=200 if stands else 204, headers=PRIVATE)


def go(opened: Opened, what: str) -> Response:
    """After a form, so that going back or loading anew sends nothing again."""
    return RedirectResponse(at(opened, what), 303, PRIVATE)


async def _shown(request: Request, opened: Opened, linked: int | None) -> Response:
    asked, answered = request.query_params, opened.link.answered
    if opened.state in CLOSED:
        return message(request, CLOSED[opened.state], language=opened.language, look=opened.look)
    if "not-me" in asked and who(opened):
        return _not_me(request, opened)
    if answered is not None and "thanks" in asked:
        view = thanks_view(opened) | {"reward": await reward_view(request, opened)}
        return page(request, "thanks.html", language=opened.language, look=opened.look, view=view)
    if answered is not None and "more" in asked and opened.state in MAY_ANSWER and left_to_ask(opened):
        return show_more(request, opened)
    if answered is None or opened.state is LinkState.OPEN:
        return _ask(request, opened, linked)
    if opened.state is LinkState.ANSWERED and ("change" in asked or linked not in {None, answered.score}):
        return _ask(request, opened, answered.score if linked is None else linked)
    return _answered(request, opened)


def _ask(request: Request, opened: Opened, chosen: int | None, *, wrong: str = "", comment: str = "") -> Response:
    view = ask_view(opened, chosen=chosen, wrong=wrong, comment=comment)
    status = 422 if wrong else 200
    return page(request, "ask.html", language=opened.language, look=opened.look, status=status, view=view)


def _answered(request: Request, opened: Opened) -> Response:
    words, answered = words_for(opened.language).texts, opened.link.answered
    assert answered is not None
    text, link = words["answered_text"].format(score=answered.score), None
    if opened.state is LinkState.ANSWERED:
        link = {"path": at(opened, "change"), "text": words["change"]}
    else:
        text = f"{text} {words['settled_text']}"
    shown: dict[str, Any] = {"title": words["answered"], "text": text, "link": link}
    return page(request, "message.html", language=opened.language, look=opened.look, **shown)


def _not_me(request: Request, opened: Opened) -> Response:
    words = words_for(opened.language).texts
    form = {"path": opened.path, "name": "not_me", "button": words["not_me_do"], "is_plain": False}
    text = words["not_me_text"].format(who=who(opened))
    shown: dict[str, Any] = {"title": words["not_me"], "text": text, "form": form}
    return page(request, "message.html", language=opened.language, look=opened.look, **shown)


async def _disown(request: Request, opened: Opened) -> Response:
    if not opened.link.is_anonymous:
        async with services_of(request).engine.write() as tx:
            await disown_answer(tx, opened.link, now=opened.now)
    return message(request, "not_me_done", language=opened.language, look=opened.look)


def _sent(opened: Opened, form: Form, score: int) -> Act:
    """A permission that was never given need not be taken back."""
    answered = opened.link.answered
    may_contact: bool | None = one(form, "may_contact") == "yes"
    if not may_contact and not (answered and answered.may_contact):
        may_contact = None
    is_moved = one(form, "sign") == Sign.GESTURE
    return Act(Sign.SEND, score, is_moved, text_in(one(form, "comment")), may_contact)


async def _note_seen(request: Request, opened: Opened) -> None:
    if judge(request, opened) is None:
        async with services_of(request).engine.write() as tx:
            await note_page_opened(tx, opened.link, now=opened.now)
