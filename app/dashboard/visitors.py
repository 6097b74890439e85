"""Who is looking at a page."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from app.api.dependencies import Now, services_of
from app.dashboard.cookies import SESSION, read_cookie
from app.dashboard.refusals import NobodyThere, NotAllowed
from app.operations.sessions import note_visit
from app.queries.sessions import Visitor, find_visitor


class VisitorWith:
    """The visitor, if the key they logged in with has the scope. Asked for before a transaction."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request, now: Now) -> Visitor:
        visitor = await _visitor(request, now)
        request.state.visitor = visitor
        if not visitor.caller.may(self.scope):
            raise NotAllowed(self.scope)
        return visitor


async def _visitor(request: Request, now: Now) -> Visitor:
    token, services = read_cookie(request, SESSION), services_of(request)
    if not token:
        raise NobodyThere
    async with services.engine.write() as tx:
        visitor = await find_visitor(tx, token, now=now)
        if visitor is None:
            raise NobodyThere
        await note_visit(tx, visitor, now=now)
    services.rate_limit.spend(visitor.caller.key_id)
    return visitor


def _scoped(scope: str) -> Callable[..., Any]:
    return Depends(VisitorWith(scope))  # type: ignore[no-any-return]  # Depends() is a marker


WebhookViewer = Annotated[Visitor, _scoped("webhooks:read")]
WebhookOperator = Annotated[Visitor, _scoped("webhooks:write")]
WorkspaceViewer = Annotated[Visitor, _scoped("workspace:read")]
WorkspaceOperator = Annotated[Visitor, _scoped("workspace:write")]
MailReader = Annotated[Visitor, _scoped("mail:read")]
