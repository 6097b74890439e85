"""Forms come from our own pages, or not at all."""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from app.dashboard.cookies import LOG_IN_FORM, SESSION, read_cookie
from app.dashboard.places import LOG_IN
from app.dashboard.refusals import ForeignForm

MOST_FIELDS = 50
TOKEN = "form_token"  # noqa: S105 - the name of a field


async def check_form(request: Request) -> None:
    """The Origin that browsers send, and a token that only a page shown to this very session holds.

    Raises ForeignForm.
    """
    origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if request.headers.get("origin") != origin:
        raise ForeignForm
    expected, sent = form_token(request), (await read_form(request)).get(TOKEN, "")
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise ForeignForm


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of an ordinary form. Nothing, if it was sent in any other way."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return {}
    try:
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return dict(fields)


def form_token(request: Request) -> str:
    """Follows from the cookie, so it needs no storing and changes at every log-in; empty without the cookie."""
    kind = LOG_IN_FORM if request.url.path == LOG_IN else SESSION
    return token_for(read_cookie(request, kind))


def token_for(cookie: str) -> str:
    return hmac.digest(cookie.encode(), b"form", "sha256").hex() if cookie else ""
