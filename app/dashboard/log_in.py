"""Logging in with a secret key, and out again."""

import secrets
from ipaddress import ip_address

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.api.dependencies import Now, Services, ServicesOf
from app.api.problems import Refused
from app.clock import utc_now
from app.dashboard.cookies import LOG_IN_FORM, NOTICE, SESSION, drop_cookie, is_https, read_cookie, set_cookie
from app.dashboard.forms import read_form, token_for
from app.dashboard.headers import PRIVATE
from app.dashboard.log_in_limit import EVERY_SECONDS, LogInLimit
from app.dashboard.places import LOG_IN, page_of_ours
from app.dashboard.shell import page
from app.domain.keys import KeyKind
from app.operations.sessions import close_session, open_session
from app.queries.api_keys import Caller

LONGEST_KEY = 200  # characters; what is longer is not remembered as a key that nobody has

NOT_KNOWN = "This key is unknown, revoked or expired. Check that all of it was copied, or make a new one."
NOT_SECRET = "This is a publishable key, which belongs in web pages. Log in with a secret one, zt_sk_…."  # noqa: S105 - prose
TOO_OFTEN = f"Too many tries from your address. Wait {EVERY_SECONDS:.0f} seconds and try again."


class CannotLogIn(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


async def show_log_in(request: Request, next: str = "") -> Response:  # noqa: A002 - its name in the address
    return _form(request, wanted=next)


async def log_in(request: Request, services: ServicesOf, now: Now) -> Response:
    """A session of its own for every log-in; the one before, in the same browser, ends."""
    form = await read_form(request)
    try:
        caller = await _caller(request, services, form.get("key", "").strip())
    except CannotLogIn as error:
        return _form(request, wanted=form.get("next", ""), status=error.status, reason=error.reason)
    async with services.engine.write() as tx:
        await close_session(tx, read_cookie(request, SESSION))
        token = await open_session(tx, caller, now=now)
    response = RedirectResponse(page_of_ours(form.get("next", "")), 303, PRIVATE)
    set_cookie(request, response, SESSION, token)
    drop_cookie(request, response, LOG_IN_FORM)
    return response


async def log_out(request: Request, services: ServicesOf) -> Response:
    async with services.engine.write() as tx:
        await close_session(tx, read_cookie(request, SESSION))
    response = RedirectResponse(LOG_IN, 303, PRIVATE)
    drop_cookie(request, response, SESSION)
    set_cookie(request, response, NOTICE, "logged_out")
    return response


async def _caller(request: Request, services: Services, key: str) -> Caller:
    """Raises CannotLogIn."""
    limit: LogInLimit = request.app.state.log_in_limit
    if not is_safe(request):
        raise CannotLogIn(403, "A key must not travel over plain http.")
    if not limit.allows(request.client.host if request.client else ""):
        raise CannotLogIn(429, TOO_OFTEN)
    try:
        caller = await services.keyring.caller(key[:LONGEST_KEY], utc_now())
    except Refused as error:
        raise CannotLogIn(422, NOT_KNOWN) from error
    if caller.kind != KeyKind.SECRET:
        raise CannotLogIn(422, NOT_SECRET)
    return caller


def _form(request: Request, *, wanted: str, status: int = 200, reason: str | None = None) -> Response:
    cookie = read_cookie(request, LOG_IN_FORM) or secrets.token_urlsafe(32)
    response = page(
        request, "log_in.html", status=status if is_safe(request) else 403, reason=reason, wanted=wanted,
        form_token=token_for(cookie), is_safe=is_safe(request), log_in=LOG_IN,
    )  # fmt: skip
    set_cookie(request, response, LOG_IN_FORM, cookie)
    if status == 429:
        response.headers["retry-after"] = f"{EVERY_SECONDS:.0f}"
    return response


def is_safe(request: Request) -> bool:
    """Over https, or on this very machine: elsewhere anybody on the way could read the key."""
    return is_https(request) or _is_this_machine(request.url.hostname or "")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
