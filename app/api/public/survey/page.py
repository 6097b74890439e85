"""The page of a personal link. Showing it writes no answer, whoever asks for it; a form or the page's script does."""

from fastapi import FastAPI, Request
from fastapi.routing import APIRouter
from starlette.responses import Response

from app.api.dependencies import services_of
from app.api.public.survey.answering import Act, Outcome, take_answer
from app.api.public.survey.forms import (
    Form,
    asked_again_in,
    done_at_in,
    one,
    read_form,
    score_in,
    sign_in,
    text_in,
    written_in,
)
from app.api.public.survey.judging import is_doubted, judge, keep_evidence
from app.api.public.survey.logo import LOGO_PATH, serve_logo
from app.api.public.survey.opened import Opened, as_seen, number_of, open_link, proof_of_next
from app.api.public.survey.preview import answer_preview, show_preview, take_preview_sign
from app.api.public.survey.questions import go, left_to_ask, take_more
from app.api.public.survey.rewards import give_reward
from app.api.public.survey.route import SurveyRoute, in_background
from app.api.public.survey.shell import PRIVATE, message
from app.api.public.survey.shown import MAY_ANSWER, ask, ask_not_me, shown
from app.api.public.survey.static import serve_survey_icon, serve_survey_script, serve_survey_style
from app.api.public.survey.unsubscribing import show_unsubscribe, unsubscribe
from app.api.public.survey.words import words_for
from app.domain.survey.survey_link import HONEYPOT, Sign
from app.domain.survey.survey_preview import PLACE as PREVIEWS
from app.operations.survey_links import disown_answer, note_page_opened


def include_survey_pages(app: FastAPI) -> None:
    pages = APIRouter(route_class=SurveyRoute, include_in_schema=False)
    pages.api_route("/s/{token}", methods=["GET", "HEAD"])(show_survey)
    pages.post("/s/{token}")(answer_survey)
    pages.post("/s/{token}/signs")(take_sign)
    pages.api_route(f"{PREVIEWS}/{{token}}", methods=["GET", "HEAD"])(show_preview)
    pages.post(f"{PREVIEWS}/{{token}}")(answer_preview)
    pages.post(f"{PREVIEWS}/{{token}}/signs")(take_preview_sign)
    pages.api_route("/u/{token}", methods=["GET", "HEAD"])(show_unsubscribe)
    pages.post("/u/{token}")(unsubscribe)
    pages.api_route(LOGO_PATH, methods=["GET", "HEAD"])(serve_logo)
    pages.get("/s/static/{digest}/survey.js")(serve_survey_script)
    pages.get("/s/static/{digest}/icon.svg")(serve_survey_icon)
    pages.get("/s/static/{digest}/{accent}.css")(serve_survey_style)
    app.include_router(pages)


async def show_survey(token: str, request: Request) -> Response:
    opened = await open_link(request, token, request.query_params)
    linked = score_in(request.query_params.get("score"), opened.metric)
    reason = judge(request, opened, linked=linked, is_in_honeypot=HONEYPOT in request.query_params)
    response = await shown(request, as_seen(opened), linked)
    if reason is not None:
        return in_background(response, keep_evidence(request, opened, reason, by_link=True))
    return response


async def answer_survey(token: str, request: Request) -> Response:
    form = await read_form(request)
    opened = await open_link(request, token, {**request.query_params, "lang": one(form, "lang")})
    seen = as_seen(opened)
    if one(form, "not_me"):
        return await _disown(request, opened, form)
    request.state.written = written_in(form, opened.link.survey.questions)
    if seen.state not in MAY_ANSWER:
        return await shown(request, seen, None)
    if one(form, "part") == "more":
        return await take_more(request, opened, form)
    score = score_in(one(form, "score"), opened.metric)
    if score is None:
        wrong = words_for(opened.language).texts["choose"]
        may_contact = one(form, "may_contact") == "yes"
        comment = text_in(one(form, "comment")) or ""
        withdraws = one(form, "withdraw") == "yes"
        return ask(request, seen, None, wrong=wrong, comment=comment, may_contact=may_contact, withdraws=withdraws)
    if opened.state not in MAY_ANSWER:
        return await shown(request, opened, None)
    return await _take(request, opened, _sent(opened, form, score))


async def _take(request: Request, opened: Opened, act: Act) -> Response:
    outcome = await take_answer(request, opened, act)
    if outcome is Outcome.STANDS:
        request.state.written = ""
    mine = await proof_of_next(request, opened) if outcome is Outcome.STANDS else ""
    after = as_seen(await open_link(request, opened.token, {"lang": opened.language, "mine": mine}))
    if outcome is Outcome.DOUBTED:
        return ask(
            request, after, act.score, comment=act.comment or "", may_contact=act.may_contact,
            withdraws=act.withdraws_comment, is_again=True,
        )  # fmt: skip
    if outcome is Outcome.KEPT:
        return await shown(request, after, None)
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
        act = Act(sign, score, is_gestured=sign in {Sign.GESTURE, Sign.CHANGE}, done_at=done_at_in(form))
        stands = await take_answer(request, opened, act) is Outcome.STANDS
    return Response(status_code=200 if stands else 204, headers=PRIVATE)


async def _disown(request: Request, opened: Opened, form: Form) -> Response:
    if await is_doubted(request, opened, asked_again_in(form)):
        return ask_not_me(request, opened, is_again=True)
    visits = services_of(request).visits
    visits.note_act(opened.digest, number_of(opened, Sign.SEND))
    visits.note_disowned(opened.digest)
    if not opened.link.is_anonymous:
        async with services_of(request).engine.write() as tx:
            await disown_answer(tx, opened.link, now=opened.now)
    return message(request, "not_me_done", language=opened.language, brand=opened.brand)


def _sent(opened: Opened, form: Form, score: int) -> Act:
    """A permission that was never given need not be taken back."""
    answered = opened.link.answered
    may_contact: bool | None = one(form, "may_contact") == "yes"
    if not may_contact and not (answered and answered.may_contact):
        may_contact = None
    return Act(
        Sign.SEND, score, is_gestured=one(form, "sign") == Sign.GESTURE, is_in_honeypot=bool(one(form, HONEYPOT)),
        comment=text_in(one(form, "comment")), withdraws_comment=one(form, "withdraw") == "yes",
        may_contact=may_contact, asked_again_at=asked_again_in(form), done_at=done_at_in(form),
    )  # fmt: skip


async def _note_seen(request: Request, opened: Opened) -> None:
    if judge(request, opened) is None:
        async with services_of(request).engine.write() as tx:
            await note_page_opened(tx, opened.link, now=opened.now)
