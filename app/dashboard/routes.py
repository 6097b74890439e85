"""Every page, in reading order."""

from fastapi import APIRouter, FastAPI
from starlette.responses import RedirectResponse, Response

from app.dashboard import authorizations, deliveries, log_in, mails, replays, sender_domains, webhooks
from app.dashboard.headers import PRIVATE
from app.dashboard.log_in_limit import LogInLimit
from app.dashboard.places import (
    AUTHORIZE,
    DELIVERY,
    ENDPOINT,
    HOME,
    LOG_IN,
    LOG_OUT,
    MAIL,
    MAIL_BODY,
    MAILS,
    REPLAY,
    SENDER_DOMAINS,
    STATIC,
    WEBHOOKS,
)
from app.dashboard.refusals import PageNotFound
from app.dashboard.routing import DashboardRoute
from app.dashboard.static import serve_static


def include_dashboard(app: FastAPI) -> None:
    app.state.log_in_limit = LogInLimit()
    shown = APIRouter(route_class=DashboardRoute, include_in_schema=False)
    shown.get(HOME)(go_home)
    shown.get(LOG_IN)(log_in.show_log_in)
    shown.post(LOG_IN)(log_in.log_in)
    shown.post(LOG_OUT)(log_in.log_out)
    shown.get(f"{STATIC}/{{digest}}/{{name}}")(serve_static)
    _include_webhooks(shown)
    _include_mail(shown)
    shown.get(f"{HOME}/{{rest:path}}")(show_nothing)
    app.include_router(shown)


def _include_webhooks(shown: APIRouter) -> None:
    shown.get(WEBHOOKS)(webhooks.show_webhooks)
    shown.get(ENDPOINT)(webhooks.show_endpoint)
    shown.post(f"{ENDPOINT}/test")(webhooks.send_test)
    shown.post(f"{ENDPOINT}/enable")(webhooks.enable)
    shown.post(f"{ENDPOINT}/disable")(webhooks.disable)
    shown.get(REPLAY)(replays.show_replay)
    shown.post(REPLAY)(replays.start_replay)
    shown.post(f"{REPLAY}/cancel")(replays.cancel_replay)
    shown.get(AUTHORIZE)(authorizations.show_authorize)
    shown.post(AUTHORIZE)(authorizations.ask)
    shown.post(f"{AUTHORIZE}/use")(authorizations.use)
    shown.get(DELIVERY)(deliveries.show_delivery)
    shown.post(f"{DELIVERY}/retry")(deliveries.retry)
    shown.post(f"{DELIVERY}/cancel")(deliveries.cancel)


def _include_mail(shown: APIRouter) -> None:
    shown.get(MAILS)(mails.show_mails)
    shown.get(SENDER_DOMAINS)(sender_domains.show_sender_domains)
    shown.post(f"{SENDER_DOMAINS}/check")(sender_domains.check)
    shown.get(MAIL)(mails.show_mail)
    shown.get(MAIL_BODY)(mails.show_body)


async def go_home() -> Response:
    return RedirectResponse(WEBHOOKS, 303, PRIVATE)


async def show_nothing() -> Response:
    """Unknown pages are pages too."""
    raise PageNotFound
