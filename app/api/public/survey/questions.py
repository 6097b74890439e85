"""Further questions, after the scored one: as many at a time as what was said so far decides."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.public.survey.answering import Act, Outcome, take_answer
from app.api.public.survey.forms import Form, again, answer_in, asked_again_in
from app.api.public.survey.opened import Opened, proof_of_next
from app.api.public.survey.shell import PRIVATE, page
from app.api.public.survey.views import at, more_view
from app.domain.survey.questions import Answer, Question, questions_to_ask
from app.domain.survey.survey_link import Sign


def left_to_ask(opened: Opened, passed: Collection[str] = ()) -> Sequence[Question]:
    """Those of the person's way on which they have said nothing yet, without what they `passed` over just now."""
    answered = opened.link.answered
    if answered is None:
        return ()
    known = answered.answers
    return [one for one in _asked(opened, known) if one.id not in known and one.id not in passed]


def passed_in(request: Request) -> list[str]:
    """Which questions a page has passed over before, of which nothing is kept."""
    return request.query_params.getlist("passed")


def show_more(request: Request, opened: Opened) -> Response:
    passed = passed_in(request)
    return _page(request, opened, left_to_ask(opened, passed), passed=passed)


async def take_more(request: Request, opened: Opened, form: Form) -> Response:
    """What was answered is kept, also where something that is required is missing."""
    answered = opened.link.answered
    if answered is None or not opened.is_theirs:
        return RedirectResponse(opened.path, 303, PRIVATE)
    shown = set(form.get("asked", ()))
    on_page = [question for question in _asked(opened, answered.answers) if question.id in shown]
    given = {question.id: answer_in(form, question) for question in on_page}
    missing = [question.id for question in on_page if question.is_required and given[question.id] is None]
    kept = {key: answer for key, answer in given.items() if key not in missing}
    is_said = any(answer is not None or key in answered.answers for key, answer in kept.items())
    act = Act(Sign.SEND, answered.score, answers=kept, asked_again_at=asked_again_in(form))
    outcome = await take_answer(request, opened, act) if is_said and not opened.is_preview else None
    if outcome is Outcome.STANDS:
        opened = replace(opened, mine=await proof_of_next(request, opened))
    after, passed = _with_answers(opened, {**answered.answers, **kept}), form.get("passed", [])
    if missing or outcome is Outcome.DOUBTED:
        return _page(request, after, on_page, missing, passed=passed, is_again=outcome is Outcome.DOUBTED)
    passed = [*passed, *(key for key, answer in kept.items() if answer is None)]
    return go(after, "more", passed) if left_to_ask(after, passed) else go(after, "thanks")


def go(opened: Opened, what: str, passed: Sequence[str] = ()) -> Response:
    """After a form, so that going back or loading anew sends nothing again."""
    known = {question.id for question in opened.link.survey.questions}
    rest = "".join(f"&passed={key}" for key in dict.fromkeys(passed) if key in known)
    return RedirectResponse(at(opened, what) + rest, 303, PRIVATE)


def _asked(opened: Opened, answers: Any) -> Sequence[Question]:
    """Only those that there are words for in this language."""
    answered = opened.link.answered
    assert answered is not None
    known: dict[str, Answer] = dict(answers)
    asked = questions_to_ask(opened.link.survey.questions, metric=opened.metric, score=answered.score, answers=known)
    return [question for question in asked if opened.language in question.text]


def _with_answers(opened: Opened, answers: dict[str, Answer]) -> Opened:
    assert opened.link.answered is not None
    return replace(opened, link=replace(opened.link, answered=replace(opened.link.answered, answers=answers)))


def _page(
    request: Request,
    opened: Opened,
    questions: Sequence[Question],
    missing: Sequence[str] = (),
    *,
    passed: Sequence[str] = (),
    is_again: bool = False,
) -> Response:
    view, status = more_view(opened, questions, missing), 422 if missing else 200
    view["passed"] = passed
    view["again"] = again(opened.now) if is_again else ""
    return page(request, "more.html", language=opened.language, brand=opened.brand, status=status, view=view)
