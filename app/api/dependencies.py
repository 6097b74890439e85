"""What a route may ask for: a transaction, the time, who is calling, a page."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from app.api.authentication import Keyring, require_scope, token_of
from app.api.event_watch import EventWatch
from app.api.public.survey.anonymous_marks import AnonymousMarks
from app.api.public.survey.visits import Visits
from app.api.rate_limit import RateLimit
from app.clock import utc_now
from app.config import Settings
from app.db import engine as database
from app.db.vault import Vault
from app.domain.webhooks.addresses import Guard
from app.operations.instance_keys import AddressKey, InstanceKey
from app.operations.responses.recorder import Recorder
from app.queries.api_keys import Caller


@dataclass(slots=True)
class Services:
    """What lives as long as the API process."""

    settings: Settings
    engine: database.Engine
    vault: Vault
    keyring: Keyring
    recorder: Recorder
    event_watch: EventWatch
    address_key: AddressKey  # for addresses that must be recognised but not kept
    survey_link_key: InstanceKey  # what the tokens of personal links are made from
    rate_limit: RateLimit
    public_rate_limit: RateLimit
    link_rate_limit: RateLimit
    visits: Visits  # what happened lately on personal links
    anonymous_marks: AnonymousMarks
    guard: Guard  # which receivers webhooks may reach


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(services_of)]


async def _now() -> datetime:
    return utc_now()


async def _tx(request: Request) -> AsyncIterator[database.Tx]:
    async with services_of(request).engine.write() as tx:
        yield tx


async def _read_tx(request: Request) -> AsyncIterator[database.ReadTx]:
    async with services_of(request).engine.read() as tx:
        yield tx


Now = Annotated[datetime, Depends(_now)]
# scope="function" commits before the reply is sent; FastAPI's default commits after it, and a failing commit
# would leave the caller with a 201 for something that was never stored.
Tx = Annotated[database.Tx, Depends(_tx, scope="function")]
ReadTx = Annotated[database.ReadTx, Depends(_read_tx, scope="function")]


def is_in_transaction(dependant: Dependant) -> bool:
    """Whether a route writes in the transaction that it asks for."""
    return any(one.call is _tx for one in dependant.dependencies)


async def caller_with(scope: str, request: Request, *, now: datetime) -> Caller:
    """Who holds the secret key that was sent. Raises `Refused` 401, 403, 429."""
    services = services_of(request)
    caller = await services.keyring.caller(token_of(request.headers), now)
    if getattr(request.state, "caller", None) is None:  # one that is done again is still one request
        services.rate_limit.spend(caller.key_id)
    require_scope(caller, scope)
    return caller


class CallerWith:
    """The caller, if their key has the scope. Asked for before `Tx`, so that strangers cost no transaction."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request, now: Now) -> Caller:
        caller = await caller_with(self.scope, request, now=now)
        request.state.caller = caller
        return caller


def _scoped(scope: str) -> Callable[..., Any]:
    return Depends(CallerWith(scope))  # type: ignore[no-any-return]  # Depends() is a marker


WorkspaceReader = Annotated[Caller, _scoped("workspace:read")]
WorkspaceWriter = Annotated[Caller, _scoped("workspace:write")]
CampaignReader = Annotated[Caller, _scoped("campaigns:read")]
CampaignWriter = Annotated[Caller, _scoped("campaigns:write")]
RecipientReader = Annotated[Caller, _scoped("recipients:read")]
RecipientWriter = Annotated[Caller, _scoped("recipients:write")]
ResponseReader = Annotated[Caller, _scoped("responses:read")]
ResponseWriter = Annotated[Caller, _scoped("responses:write")]
ScoreReader = Annotated[Caller, _scoped("scores:read")]
EventReader = Annotated[Caller, _scoped("events:read")]
WebhookReader = Annotated[Caller, _scoped("webhooks:read")]
WebhookWriter = Annotated[Caller, _scoped("webhooks:write")]
MailReader = Annotated[Caller, _scoped("mail:read")]
KeyReader = Annotated[Caller, _scoped("keys:read")]
KeyWriter = Annotated[Caller, _scoped("keys:write")]
