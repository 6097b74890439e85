"""Which page a link shows, as things stand with it."""

from typing import Any

from fastapi import Request
from markupsafe import escape
from starlette.responses import Response

from app.api.public.survey.forms import again
from app.api.public.survey.opened import Opened
from app.api.public.survey.questions import left_to_ask, passed_in, show_more
from app.api.public.survey.rewards import reward_view
from app.api.public.survey.shell import message, page
from app.api.public.survey.views import ask_view, at, said_of, thanks_view, who
from app.api.public.survey.words import words_for
from app.domain.survey.survey_link import TAKEN_OUT_BY_LINK, LinkState

CLOSED = {LinkState.LATE: "expired", LinkState.EXPIRED: "expired", LinkState.ENDED: "ended"}
MAY_ANSWER = {LinkState.OPEN, LinkState.ANSWERED, LinkState.LATE}


async def shown(request: Request, opened: Opened, linked: int | None) -> Response:
    """`linked`: the score that the address asks for."""
    asked, answered = request.query_params if opened.is_theirs else {}, opened.link.answered
    if opened.state in CLOSED:
        return message(request, CLOSED[opened.state], language=opened.language, brand=opened.brand)
    if "not-me" in asked and who(opened):
        return ask_not_me(request, opened)
    if answered is None or answered.excluded_reason in TAKEN_OUT_BY_LINK:  # nobody is thanked for what does not count
        return ask(request, opened, linked)
    if "thanks" in asked:
        view = thanks_view(opened) | {"reward": await reward_view(request, opened)}
        return page(request, "thanks.html", language=opened.language, brand=opened.brand, view=view)
    if "more" in asked and opened.state in MAY_ANSWER and left_to_ask(opened, passed_in(request)):
        return show_more(request, opened)
    if opened.state is LinkState.OPEN:
        return ask(request, opened, linked)
    if opened.state is LinkState.ANSWERED and ("change" in asked or linked not in {None, answered.score}):
        return ask(request, opened, answered.score if linked is None else linked)
    return _answered(request, opened)


def ask(
    request: Request,
    opened: Opened,
    chosen: int | None,
    *,
    wrong: str = "",
    comment: str = "",
    may_contact: bool | None = None,
    withdraws: bool = False,
    is_again: bool = False,
) -> Response:
    """`is_again`: it was sent, and is not believed before it is sent once more."""
    status = 422 if wrong else 200
    view = ask_view(opened, chosen=chosen, wrong=wrong, comment=comment)
    if may_contact is not None:  # what was pressed last, also where it takes a permission back
        view["may_contact"] = may_contact
    view["withdraws"] = withdraws
    view["again"] = again(opened.now) if is_again else ""
    return page(request, "ask.html", language=opened.language, brand=opened.brand, status=status, view=view)


def _answered(request: Request, opened: Opened) -> Response:
    words, answered = words_for(opened.language).texts, opened.link.answered
    assert answered is not None
    text, link = said_of(opened, answered.score) if opened.is_theirs else "", None
    if opened.state is LinkState.ANSWERED:
        link = {"path": at(opened, "change"), "text": words["change"]}
    else:
        text = f"{text} {words['settled_text']}".strip()
    said: dict[str, Any] = {"title": words["answered"], "text": text, "link": link}
    return page(request, "message.html", language=opened.language, brand=opened.brand, **said)


def ask_not_me(request: Request, opened: Opened, *, is_again: bool = False) -> Response:
    words = words_for(opened.language).texts
    form = {"path": opened.path, "name": "not_me", "button": words["not_me_do"], "is_plain": False}
    form |= {"again": again(opened.now) if is_again else ""}
    text = escape(words["not_me_text"]).format(who=who(opened))
    said: dict[str, Any] = {"title": words["not_me"], "text": text, "form": form}
    return page(request, "message.html", language=opened.language, brand=opened.brand, **said)
