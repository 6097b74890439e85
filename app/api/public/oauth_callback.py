"""Where services send people back to, with a code. It is kept for a worker, once, if the `state` is one of ours.

A page and nothing else: it repeats nothing of what stands in its address, and leads nowhere.
"""

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response

from app.api.dependencies import services_of
from app.api.public.survey.shell import page
from app.clock import utc_now
from app.domain.connectors.authorization import AuthorizationState, read_state
from app.domain.survey.brand import OURS
from app.operations.authorizations import answer_authorization

CALLBACK = "/oauth/callback"
LONGEST_QUERY = 8_000  # characters
SAID: Mapping[AuthorizationState | None, tuple[int, str, str]] = {
    AuthorizationState.EXCHANGING: (200, "Thank you", "Zeroten is being connected. You can close this page."),
    AuthorizationState.FAILED: (
        200, "Nothing was connected", "The service did not agree to it. You can close this page."
    ),
    None: (404, "This link no longer works", "It works once, for ten minutes. Please begin again where you started."),
}  # fmt: skip


def include_oauth_callback(app: FastAPI) -> None:
    app.router.add_api_route(CALLBACK, come_back, methods=["GET"], include_in_schema=False)


async def come_back(request: Request) -> Response:
    status, title, text = SAID[await _taken(request)]
    return page(request, "message.html", language="en", brand=OURS, status=status, title=title, text=text)


async def _taken(request: Request) -> AuthorizationState | None:
    state = read_state(request.query_params.get("state", ""))
    if state is None or len(request.url.query) > LONGEST_QUERY:
        return None
    services = services_of(request)
    async with services.engine.write() as tx:
        return await answer_authorization(tx, services.vault, state, dict(request.query_params), now=utc_now())
