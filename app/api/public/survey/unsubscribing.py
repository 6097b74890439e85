"""Unsubscribing: a page that asks once more, and the one click of mail programs, which is a POST (RFC 8058)."""

from typing import Any

from fastapi import Request
from markupsafe import escape
from starlette.responses import Response

from app.api.dependencies import services_of
from app.api.public.survey.forms import again, asked_again_in, one, read_form
from app.api.public.survey.judging import is_doubted
from app.api.public.survey.opened import Opened, open_link
from app.api.public.survey.shell import message, page
from app.api.public.survey.views import who
from app.api.public.survey.words import words_for
from app.db.again import in_transaction
from app.domain.survey.survey_link import may_take_back
from app.operations.survey_links import resubscribe_by_link, unsubscribe_by_link


async def show_unsubscribe(token: str, request: Request) -> Response:
    """Changes nothing: scanners follow this link too."""
    opened = await open_link(request, token, request.query_params, to_leave=True)
    return say_left(request, opened) if opened.link.unsubscribed_at is not None else ask_to_leave(request, opened)


def ask_to_leave(request: Request, opened: Opened, *, is_again: bool = False) -> Response:
    words = words_for(opened.language).texts
    form = {"path": opened.leave_path, "name": "leave", "button": words["leave_do"], "is_plain": False}
    form |= {"again": again(opened.now) if is_again else ""}
    text = escape(words["leave_text"]).format(brand=opened.brand.name, who=who(opened))
    shown: dict[str, Any] = {"title": words["leave"], "text": text, "form": form}
    return page(request, "message.html", language=opened.language, brand=opened.brand, **shown)


async def unsubscribe(token: str, request: Request) -> Response:
    """From the page, or from a mail program, which sends `List-Unsubscribe=One-Click` and no cookie, and follows no
    redirect. A body that says nothing is a mail program of little accuracy rather than a mistake. Only who presses a
    button of the page can be doubted: whoever speaks for a mailbox need be nobody.
    """
    form = await read_form(request)
    opened = await open_link(request, token, {"lang": one(form, "lang")}, to_leave=True)
    is_of_page = bool(one(form, "leave") or one(form, "return"))
    if is_of_page and await is_doubted(request, opened, asked_again_in(form)):
        return (say_left if one(form, "return") else ask_to_leave)(request, opened, is_again=True)
    act = resubscribe_by_link if one(form, "return") else unsubscribe_by_link
    await in_transaction(services_of(request).engine, lambda tx: act(tx, opened.link, now=opened.now))
    after = await open_link(request, token, {"lang": opened.language}, to_leave=True)
    if after.link.unsubscribed_at is None:
        return message(request, "returned", language=opened.language, brand=opened.brand)
    return say_left(request, after)


def say_left(request: Request, opened: Opened, *, is_again: bool = False) -> Response:
    """Whoever refused in another way, or a while ago, is offered nothing that this link cannot do."""
    words, link = words_for(opened.language).texts, opened.link
    form: dict[str, Any] | None = None
    if opened.is_preview or may_take_back(refused_at=link.unsubscribed_at, left_at=link.left_at, now=opened.now):
        form = {"path": opened.leave_path, "name": "return", "button": words["return_do"], "is_plain": True}
        form |= {"again": again(opened.now) if is_again else ""}
    shown: dict[str, Any] = {"title": words["left"], "text": words["left_text"], "form": form}
    return page(request, "message.html", language=opened.language, brand=opened.brand, **shown)
