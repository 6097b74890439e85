"""What is round every page: who is there, where one can go, what was just done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.api.pages import templates_of
from app.clock import utc_now
from app.dashboard import wording
from app.dashboard.cookies import NOTICE, drop_cookie, read_cookie, set_cookie
from app.dashboard.forms import TOKEN, form_token
from app.dashboard.headers import PRIVATE
from app.dashboard.notices import NOTICES
from app.dashboard.places import (
    LOG_OUT,
    MAILS,
    SENDER_DOMAINS,
    WEBHOOKS,
    authorize_path,
    delivery_path,
    endpoint_path,
    mail_path,
    replay_path,
)
from app.dashboard.states import failure_word
from app.dashboard.static import static_path
from app.domain.ids import shown
from app.domain.scores.period import zone_named
from app.queries.sessions import Visitor


@dataclass(frozen=True, slots=True)
class Entry:
    title: str
    path: str
    scope: str


NAVIGATION = (Entry("Webhooks", WEBHOOKS, "webhooks:read"), Entry("Mail", MAILS, "mail:read"))

templates = templates_of("dashboard")
templates.filters |= {
    "count": wording.count,
    "percent": wording.percent,
    "milliseconds": wording.milliseconds,
    "breakable": wording.breakable,
    "host": wording.host,
    "failure": failure_word,
}
templates.globals |= {
    "static_path": static_path, "endpoint_path": endpoint_path, "delivery_path": delivery_path, "shown": shown,
    "form_field": TOKEN, "replay_path": replay_path, "mail_path": mail_path, "log_out": LOG_OUT,
    "sender_domains": SENDER_DOMAINS, "authorize_path": authorize_path,
}  # fmt: skip


def page(request: Request, template: str, *, status: int = 200, **content: Any) -> Response:
    """The notice of what was just done is shown once."""
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    notice = NOTICES.get(read_cookie(request, NOTICE))
    html = templates.get_template(template).render(
        visitor=visitor,
        navigation=[entry for entry in NAVIGATION if visitor is not None and visitor.caller.may(entry.scope)],
        path=request.url.path,
        notice=notice,
        times=_times(visitor, utc_now()),
        **{"form_token": form_token(request), **content},
    )
    response = HTMLResponse(html, status, PRIVATE)
    if notice is not None:
        drop_cookie(request, response, NOTICE)
    return response


def _times(visitor: Visitor | None, now: datetime) -> wording.Times:
    return wording.Times(now, zone_named(visitor.time_zone if visitor is not None else "UTC"))


def done(request: Request, path: str, notice: str) -> Response:
    """After a form: back to a page, which says what was done. Its fragment moves the focus to that."""
    assert notice in NOTICES
    response = RedirectResponse(f"{path}#notice", 303, PRIVATE)
    set_cookie(request, response, NOTICE, notice)
    return response
